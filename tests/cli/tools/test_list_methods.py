"""`cellbench list methods`: what there is, what can be set, what is optional."""

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.methods import methods
from cellbench.running.planning.plan import settings_of


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
    assert " weights to start from; none: drawn at random (imagenet or the path" in " ".join(page.split())
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
    assert f". On images of {images} " in " ".join(page.split())


def test_what_is_optional_is_listed_with_what_installs_it_and_whether_that_was_done(monkeypatch):
    def rows(*name):
        page = CliRunner().invoke(cli, ["list", "methods", *name], prog_name="cellbench").output
        table = [re.split(r"  +", line) for line in page.splitlines() if "pip install" in line]
        return [[who, command, installed] for command, installed, who in table]

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setitem(sys.modules, "timm", None)  # as where it isn't installed
    here = {module: "yes" if find_spec(module) else "no" for module in ("thundersvm", "cuml", "imblearn")}
    machines = [
        ["backend=thundersvm{}", 'pip install "cellbench[thundersvm]"', here["thundersvm"]],
        ["backend=cuml{}", 'pip install "cellbench[cuda]"', here["cuml"]],
        ["smote=true{}", 'pip install "cellbench[imbalance]"', here["imblearn"]],
    ]
    timm = ["inception_resnet_v2, inception_resnet_v2-hpa10, timm:NAME", 'pip install "cellbench[timm]"', "no"]
    solved = [", ".join(who.format(f" ({family})") for family in ("probe", "svm")) for who, *_ in machines[:2]]
    of_families = [*solved, machines[2][0].format(" (svm)")]
    assert rows() == [timm, *([who, *rest] for who, (_, *rest) in zip(of_families, machines, strict=True))]
    assert rows("svm-hog") == [[who.format(""), *rest] for who, *rest in machines]
    assert rows("svm-deep") == [[who.format(""), *rest] for who, *rest in machines[:2]]  # it has no smote
    assert rows("cnn") == []
