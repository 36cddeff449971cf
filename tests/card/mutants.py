"""Shows what the tests on the pretended card find: each mutant leaves one tensor of the package on the wrong device.

    python tests/card/mutants.py [WORDS ...]
    python tests/card/mutants.py table

The first runs, for each mutant (or those whose file or text has one of the words), the tests that it should fail, on a
copy of the package in a temporary folder, and prints whether they did. Exit code 4 if a mutant was not found. It takes
some minutes and is no part of the test suite. The second prints the list of docs/gpu.md.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """A module of tests, words of the names of those that should fail, a file of the package, and a text in it.

    The mutant lacks what stands between « and » in the text.
    """

    tests: str
    words: str
    file: str
    text: str

    @property
    def whole(self) -> str:
        """The text as it stands in the file."""
        return self.text.replace("«", "").replace("»", "")

    @property
    def without(self) -> str:
        """The text as the mutant has it."""
        return re.sub("«.*»", "", self.text)


MUTANTS = (
    Mutant("training", "batch-0", "deep/training/batches.py", "self.labels[order]«.to(self.device)»"),
    Mutant("training", "ahead", "deep/training/batches.py", 'pin_memory()«.to("cuda", non_blocking=True)»'),
    Mutant("training", "class_weight", "deep/training/loop.py", "shown«.to(device)»"),
    Mutant("training", "rotate", "deep/training/loop.py", "labels«.to(device)», smoothing"),
    Mutant("training", "rotate", "deep/training/history.py", "shares«.cpu()».numpy()"),
    Mutant("training", "normalise", "deep/classifier.py", "= mean«.to(device)», deviation"),
    Mutant("training", "rotate", "deep/classifier.py", "self.normalise(batch«.to(self.device)»)"),
    Mutant("training", "rotate", "deep/classifier.py", "torch.cat(scores)«.cpu()».numpy()"),
    Mutant("training", "rotate or flip", "deep/augmentation/geometric.py", "matrix«.to(device, non_blocking=True)»"),
    Mutant("training", "rotate or flip", "deep/augmentation/geometric.py", "torch.arange(width«, device=device»)"),
    Mutant("training", "hue", "deep/augmentation/intensity.py", "torch.arange(5, 0, -2«, device=batch.device»)"),
    Mutant("training", "blur", "deep/augmentation/intensity.py", "keepdim=True)).to(«batch.device, »batch.dtype"),
    Mutant("training", "noise", "deep/augmentation/intensity.py", "torch.Generator(«batch.device»)"),
    Mutant("training", "cutmix", "deep/augmentation/mixup.py", "(numbers)«.to(like.device, non_blocking=True)»"),
    Mutant("methods", "probe", "deep/pretrained/encoders.py", "torch.tensor(rgb«, device=device»)"),
    Mutant("methods", "probe", "methods/probes/embedding.py", "batch«.to(self.device)».to(torch.float32)"),
    Mutant("methods", "flat", "methods/svms/classical.py", "[part«.to(device)» for part in state"),
    Mutant("methods", "smote", "features/oversampling.py", "np.float32))«.to(features.device)»"),
    Mutant("methods", "flat", "svm/saved.py", 'state["weights"]«.to(device)»'),
    Mutant("machines", "features", "features/patterns.py", "_bin_of_pattern()«.to(patterns.device)»"),
    Mutant("machines", "features", "features/rings.py", "shape[2:])«.to(images.device)»"),
    Mutant("machines", "features", "features/brightness.py", "torch.float64«, device=device»)"),
    Mutant("machines", "features", "features/cooccurrence.py", "torch.float32«, device=pairs.device»)"),
    Mutant("machines", "awkward", "svm/kernels.py", "torch.empty(len(x), dtype=torch.float64«, device=x.device»)"),
    Mutant("machines", "awkward", "svm/solver.py", "torch.Generator(«guess.device»)"),
    Mutant("machines", "awkward", "svm/classifier.py", "coefficients«.to(given.x.device)»"),
    Mutant("machines", "several_labels", "svm/machines.py", "bound«.to(y.device)»"),
)


def found(mutant: Mutant, scratch: Path) -> bool:
    """Return whether the tests fail on a copy of the package with this mutant, made in the folder `scratch`."""
    shutil.copytree(ROOT / "cellbench", scratch / "cellbench")
    file = scratch / "cellbench" / mutant.file
    text = file.read_text(encoding="utf-8")
    if mutant.whole not in text:
        raise SystemExit(f"{mutant.file} has no text {mutant.whole!r} any more; bring tests/card/mutants.py up to date")
    file.write_text(text.replace(mutant.whole, mutant.without, 1), encoding="utf-8")
    tests = ROOT / "tests" / "card" / f"test_{mutant.tests}.py"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", str(tests), "-k", mutant.words]
    environment = {**os.environ, "PYTHONPATH": str(scratch), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    refusal = next((line for line in done.stdout.splitlines() if line.startswith("E  ")), "")
    verdict = "found" if done.returncode else "MISSED"
    print(f"{verdict:<7} {mutant.file}: {mutant.text}\n        {refusal[4:100]}", flush=True)
    return done.returncode == 1


def table() -> str:
    """Return a Markdown table of the mutants, by file."""
    rows = ["| file of the package | what the mutant lacks, between « and » | tests that must fail |", "|---|---|---|"]
    rows += [f'| {one.file} | `{one.text}` | test_{one.tests}.py -k "{one.words}" |' for one in MUTANTS]
    return "\n".join(rows)


def main(words: list[str]) -> int:
    if words == ["table"]:
        print(table())
        return 0
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.file + mutant.whole for word in words)]
    missed = 0
    for mutant in chosen:
        with tempfile.TemporaryDirectory() as scratch:
            missed += not found(mutant, Path(scratch))
    print(f"{len(chosen) - missed} of {len(chosen)} mutants found")
    return 4 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
