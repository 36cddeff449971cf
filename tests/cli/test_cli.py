"""The command line: what it prints, and its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from cellbench.cli import cli, main
from cellbench.cli.doctor import doctor
from cellbench.cli.options import parse_val_limit
from cellbench.core.errors import UsageError
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.methods import methods
from cellbench.running.plan import settings_of


def call(*arguments: str) -> subprocess.CompletedProcess:
    """The real program in a process of its own, as a user calls it."""
    return subprocess.run([sys.executable, "-m", "cellbench", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def cells(tmp_path):
    """A folder of one's own images, a sub-folder a class."""
    data = rings(n=60)
    for i, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        folder = tmp_path / "my cells" / data.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(folder / f"{i}.png")
    return tmp_path / "my cells"


def test_help_loads_nothing_heavy():
    code = "import sys, cellbench.cli; print({'torch', 'pandas', 'sklearn', 'numpy', 'rich'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


@pytest.mark.parametrize("group", [(), ("list",)], ids=["cellbench", "cellbench list"])
def test_no_summary_of_a_command_is_cut_where_commands_are_listed(group):
    page = CliRunner().invoke(cli, [*group, "--help"], prog_name="cellbench", terminal_width=80).output
    listed = page.partition("Commands:\n")[2]
    commands = cli.commands["list"].commands if group else cli.commands
    assert [line.split()[0] for line in listed.splitlines()] == sorted(commands)
    assert "..." not in listed


@pytest.mark.parametrize("name", [*cli.commands, *(f"list {name}" for name in cli.commands["list"].commands)])
def test_every_help_shows_an_example(name):
    page = CliRunner().invoke(cli, [*name.split(), "--help"], prog_name="cellbench").output
    examples = page.partition("Options:")[0].splitlines()[1:]
    assert any(line.strip().startswith(f"cellbench {name}") for line in examples), page


def test_listing_needs_no_torch(tmp_path):
    code = (
        "import sys; from click.testing import CliRunner; from cellbench.cli import cli\n"
        "for what in ('methods', 'datasets'): print(CliRunner().invoke(cli, ['list', what]).output)\n"
        "print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "resnet18" in out
    assert "hep2" in out
    assert out.strip().endswith("False")


def test_a_method_lists_all_that_can_be_set_its_default_and_what_is_allowed():
    page = CliRunner().invoke(cli, ["list", "methods", "vgg16"], prog_name="cellbench").output
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in page.splitlines()[4:-2]}
    rate = "auto peak learning rate; auto: of sgd the net's rate, smaller in batches of less than 64; of adam and adamw"
    assert f" lr {rate} 0.001 (a number above 0) momentum " in " ".join(page.split())
    assert rows["optimiser"] == ["sgd", "what makes steps of gradients (sgd, adam or adamw)"]
    assert rows["nesterov"] == ["true", "SGD's momentum looks ahead (true or false)"]
    assert rows["weights"][1].startswith("to start from; none is random (imagenet or the path")
    assert {"size", "thresholds"} <= set(rows)
    assert max(map(len, page.splitlines())) <= 110
    misspelt = CliRunner().invoke(cli, ["list", "methods", "vgg61"])
    assert "no method is called 'vgg61'; did you mean" in str(misspelt.exception)


@pytest.mark.parametrize("name", ["resnet18", "svm-hog", "svm-deep"])
def test_every_setting_says_what_it_does_and_may_be(name):
    for setting in settings_of(methods[name]):
        assert setting.meaning, setting.name
        assert setting.may_be, setting.name


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("vgg16", "32 pixels a side, or larger."),
        ("torchvision:squeezenet1_1", "17 pixels a side, or larger."),
        ("torchvision:regnet_y_400mf", "a size that only its run can tell."),
    ],
)
def test_a_method_says_how_small_its_images_may_be(name, images):
    page = CliRunner().invoke(cli, ["list", "methods", name], prog_name="cellbench").output
    assert page.splitlines()[0].endswith(f". On images of {images}")


def test_what_is_optional_is_listed_with_what_installs_it_and_whether_that_was_done(monkeypatch):
    def rows(*name):
        page = CliRunner().invoke(cli, ["list", "methods", *name], prog_name="cellbench").output
        return [re.split(r"  +", line) for line in page.splitlines() if "pip install" in line]

    monkeypatch.setitem(sys.modules, "timm", None)  # as where it isn't installed
    here = {module: "yes" if find_spec(module) else "no" for module in ("thundersvm", "cuml", "imblearn")}
    machines = [
        ["backend=thundersvm{}", 'pip install "cellbench[thundersvm]"', here["thundersvm"]],
        ["backend=cuml{}", 'pip install "cellbench[cuda]"', here["cuml"]],
        ["smote=true{}", 'pip install "cellbench[imbalance]"', here["imblearn"]],
    ]
    timm = ["inception_resnet_v2, timm:NAME", 'pip install "cellbench[timm]"', "no"]
    solved = [", ".join(who.format(f" ({family})") for family in ("probe", "svm")) for who, *_ in machines[:2]]
    of_families = [*solved, machines[2][0].format(" (svm)")]
    assert rows() == [timm, *([who, *rest] for who, (_, *rest) in zip(of_families, machines, strict=True))]
    assert rows("svm-hog") == [[who.format(""), *rest] for who, *rest in machines]
    assert rows("svm-deep") == [[who.format(""), *rest] for who, *rest in machines[:2]]  # it has no smote
    assert rows("cnn") == []


def test_a_folder_of_ones_own_cells_from_images_to_table(cells, tmp_path):
    results = str(tmp_path / "results")
    arguments = ["run", "-d", str(cells), "-m", "svm-flat", "-m", "svm-hog", "--set", "size=none", "-o", results]
    first = call(*arguments)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(f"2 ok. Next: cellbench table {results} --runs all\n\nOn folder:my cells, split ")
    assert "the best on val is an SVM, svm-" in " ".join(first.stdout.split())
    assert first.stdout.rstrip().endswith(f" -o {results}")  # the command for what did not run
    assert "[1/2] svm-hog on folder:my cells, seed 0: test accuracy" in first.stderr
    again = call(*arguments, "-q")
    assert (again.returncode, again.stdout) == (0, f"2 already done. Next: cellbench table {results} --runs all\n")
    assert again.stderr == ""
    table = call("table", results, "--runs", "all", "--format", "json")
    rows = json.loads(table.stdout)
    assert {row["method"] for row in rows if row["view"] == "leaderboard"} == {"svm-flat", "svm-hog"}
    assert call("list", "results", results).stdout.count(" ok ") == 2


def test_a_dry_run_says_what_would_be_done_and_does_nothing(cells, tmp_path):
    out = call(
        "run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "--epochs", "3", "--dry-run", "-o", str(tmp_path / "r")
    )
    assert out.returncode == 0, out.stderr
    assert "2 runs, 2 to do" in out.stdout
    assert "epochs=3" in out.stdout
    assert not (tmp_path / "r").exists()


def test_a_dry_run_that_had_to_prepare_images_says_so_the_first_time(cells, tmp_path):
    def told(*more):
        arguments = ["run", "-d", str(cells), "-m", "svm-hog", "--dry-run", "-o", str(tmp_path / "r"), *more]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False).stderr

    first = told()
    (place,) = cache.location("").iterdir()
    assert first == f"{cells} was prepared, once, in {place}: which runs are done depends on its content\n"
    assert told() == ""
    cache.remove(place)
    assert told("-q") == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "say --quick, --all or --suite NAME, or choose with -m METHOD or -d DATASET"),
        (["run", "-m", "resnet81"], "did you mean 'resnet18'"),
        (["run", "-m", "resnet"], "no method matches 'resnet'"),
        (["run", "-d", "synthetic-yest"], "did you mean 'synthetic-yeast'"),
        (["run", "-d", "no/such/folder"], "no/such/folder"),
        (["run", "-d", "hep2"], "cellbench prepare hep2 --from PATH"),
        (["run", "-m", "cnn", "--exclude", "cnm"], "did you mean 'cnn'"),
        (["run", "-m", "cnn", "--exclude", "c*"], "leaves nothing of cnn"),
        (["run", "-m", "cnn", "--seeds", "2-0"], "write 0, 0-2 or 0,3,5"),
        (["run", "-m", "svm-hog", "--epochs", "3"], "--epochs is for nets, and none was chosen (svm-hog)"),
        (["run", "-m", "cnn", "--seeds", "x"], "write 0, 0-2 or 0,3,5"),
        (["run", "-m", "cnn", "--seeds", "0-99999999"], "give seeds below 10,000"),
        (["run", "-m", "cnn", "--timeout", "0"], "--timeout got 0; give a number of seconds above zero"),
        (["run", "-m", "cnn", "--timeout", "nan"], "--timeout got nan; give a number of seconds above zero"),
        (["run", "-d", ".", "-m", "cnn", "-o", "../r", "--image-size", "0"], "size is 0; give 8 to 1024 pixels"),
        (["run", "-d", str(Path(__file__)), "-m", "cnn"], "is a file; give a folder of images"),
        (["run", "--limit", "abc"], "cellbench run: invalid value for '--limit': 'abc' is not a valid integer range"),
        (["run", "all"], "cellbench run: got unexpected extra argument (all) (see cellbench run --help)"),
        (["inspect", "hep2", "-o", "look.jpg"], "-o got look.jpg; the montage is a PNG"),
        (["run", "-m", "svm-hog", "--device", "cuda"], "--device cpu"),
        (["run", "-d", "hep2", "--labels", "x.csv"], "--labels is for folders of images, not for 'hep2'"),
        (["run", "-d", ".", "-m", "cnn", "-o", "results"], "would lie among the images of ."),
        (["prepare", "hep2", "--labels", "x.csv"], "--labels is for folders of images"),
        (["prepare", "hep2", "--image-size", "0"], "--image-size is for folders of images, not for 'hep2'"),
        (["table", "no/such/results"], "no/such/results"),
        (["table", str(Path(__file__))], "test_cli.py' is a file; give the folder of records that `cellbench run -o`"),
        (["tabel"], "did you mean 'table'"),
        (["check", "nothing"], "no method is called 'nothing'"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "cuda" in arguments:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    out = call(*arguments)
    assert out.returncode == 2
    assert message in out.stderr
    assert out.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_run_that_fails_is_on_record_and_the_exit_code_is_3(cells, tmp_path):
    results = tmp_path / "results"
    out = call("run", "-d", str(cells), "-m", "cnn", "--set", "lr=1e30", "--set", "batch=8", "-o", str(results))
    assert out.returncode == 3
    assert "1 failed" in out.stdout
    assert "--retry-failed" in out.stderr
    table = call("table", str(results), "--runs", "all")
    assert "learning rate" in table.stdout


def heed_ctrl_c() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and children inherit that: also from these tests."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_exits_130_and_leaves_a_usable_folder(cells, tmp_path):
    results = tmp_path / "results"
    arguments = ["run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "--epochs", "100000", "-o", str(results)]
    process = subprocess.Popen(
        [sys.executable, "-m", "cellbench", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    deadline = time.monotonic() + 60
    while not list(results.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "finished runs are saved" in errors
    assert "Traceback" not in errors
    assert [path.parent.name for path in results.rglob("*.json")] == ["svm-hog"]
    assert not [path for path in results.rglob("*") if path.name.endswith(".part")]


def test_a_killed_matrix_goes_on_where_it_was(cells, tmp_path):
    results = tmp_path / "results"
    arguments = ["run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "-o", str(results), "--epochs"]
    process = subprocess.Popen([sys.executable, "-m", "cellbench", *arguments, "100000"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(results.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.wait()
    again = call(*arguments, "1")
    assert again.returncode == 0
    assert again.stdout.startswith(f"1 ok, 1 already done. Next: cellbench table {results} --runs all\n\n")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_trained(cells, tmp_path):
    (tmp_path / "results").write_text("I am a file")
    out = call("run", "-d", str(cells), "-m", "svm-hog", "-o", str(tmp_path / "results"))
    assert out.returncode == 2
    assert out.stderr.startswith(f"cellbench: cannot write {tmp_path / 'results'}: it is no folder; choose another ")
    assert out.stderr.count("\n") == 1


@pytest.mark.parametrize("method", ["svm-hog", "svm-deep"])
def test_a_backend_that_is_not_there_is_refused_for_doctors_reason_before_any_run(cells, tmp_path, method):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    reason = "cuML needs a CUDA device, and torch finds none"
    chosen = ("-d", str(cells), "-m", "cnn", "-m", method, "--set", f"{method}:backend=cuml")
    out = call("run", *chosen, "-o", str(tmp_path / "results"))
    assert (out.returncode, out.stdout) == (2, "")
    assert out.stderr == (
        f"cellbench: {method}: SVM backend 'cuml' cannot be used: {reason}; choose another or 'auto'\n"
    )
    assert not (tmp_path / "results").exists()
    assert f"no: {reason}" in call("doctor").stdout


def test_a_closed_pipe_is_taken_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "cellbench", "list", "methods"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.communicate()[1] == b""


def test_an_internal_error_is_one_line_and_exit_code_1(monkeypatch, capsys):
    monkeypatch.delenv("CELLBENCH_DEBUG", raising=False)
    monkeypatch.setattr("cellbench.core.environment.versions", lambda: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["cellbench", "doctor"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert capsys.readouterr().err == (
        "cellbench: internal error: ZeroDivisionError: division by zero; --debug shows where\n"
    )


def test_doctor_names_every_backend_with_its_reason():
    out = call("doctor")
    assert out.returncode == 0, out.stderr
    assert "SVM onedal" in out.stdout
    assert "SVM libsvm            yes" in out.stdout
    assert os.path.expanduser("~") not in out.stdout.split("cache")[0]


def test_doctor_counts_one_core_and_one_thread_in_the_singular(monkeypatch):
    monkeypatch.setattr("cellbench.core.environment.cores", lambda: 1)
    facts = {"cuda": False, "gpu": "", "cuda_version": "", "threads": 1}
    monkeypatch.setattr("cellbench.running.worker.ask", lambda question: facts)
    (line,) = [line for line in CliRunner().invoke(doctor).output.splitlines() if line.startswith("processor")]
    assert line.endswith(", 1 core, 1 thread")


def test_check_reports_rules_kept_and_broken(tmp_path):
    kept = call("check", "svm-flat")
    assert kept.returncode == 0, kept.stderr
    assert kept.stdout.endswith("svm-flat: all rules kept.\n")
    plugin = tmp_path / "constant.py"
    plugin.write_text(
        "import numpy as np\nfrom cellbench.methods import method\n"
        "@method('constant', 'names one class', family='svm')\n"
        "def constant(train, val, log): return lambda images: np.zeros((len(images), 3))\n"
    )
    broken = call("check", "constant", "--plugin", str(plugin))
    assert broken.returncode == 4
    assert "does not beat the commonest class" in broken.stdout
    assert "constant: 1 rule broken." in broken.stdout


def test_progress_on_a_terminal_shows_bars_and_ends_clean(cells, tmp_path):
    """Through a pseudo-terminal, as a person sees it."""
    import pty

    master, slave = pty.openpty()
    arguments = ["run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "--epochs", "2", "-o", str(tmp_path / "r")]
    process = subprocess.Popen(
        [sys.executable, "-m", "cellbench", *arguments],
        stderr=slave,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait() == 0
    text = shown.decode()
    assert f"making {str(cells)[:40]}" in text
    assert "run 1 of 2" in text
    assert "left" in text
    assert "✓" in text
    assert text.count("svm-hog on folder:my cells, seed 0: ") == 1
    assert text.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in text[-200:]  # the cursor is given back


@pytest.mark.parametrize(("text", "limit"), [("all", "all"), ("25", 25)])
def test_a_val_limit_is_a_number_of_images_or_all(text, limit):
    assert parse_val_limit(text) == limit


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "half", ""])
def test_a_val_limit_of_another_kind_is_refused(text):
    with pytest.raises(UsageError, match=rf"^--val-limit got '{text}'; write a number of images, or all$"):
        parse_val_limit(text)
