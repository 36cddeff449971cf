"""Shows what the tests on the pretended card find: each mutant leaves one tensor of the package on the wrong device.

    python tests/card/mutants.py [WORDS ...]

runs, for each mutant (or those whose file or text has one of the words), the tests that it should fail, on a copy of
the package in a temporary folder, and prints whether they did. Exit code 4 if a mutant was not found. It takes some
minutes and is no part of the test suite.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """A text in a file of the package, what is left out of it, and the tests for that, by file and words of names."""

    file: str
    text: str
    without: str
    tests: str
    words: str


TRAINING, METHODS, MACHINES = "test_training.py", "test_methods.py", "test_machines.py"
MUTANTS = (
    Mutant("deep/training/batches.py", "self.labels[order].to(self.device)", ".to(self.device)", TRAINING, "batch-0"),
    Mutant(
        "deep/training/batches.py",
        'pin_memory().to("cuda", non_blocking=True)',
        '.to("cuda", non_blocking=True)',
        TRAINING,
        "ahead",
    ),
    Mutant("deep/training/loop.py", "shown.to(device)", ".to(device)", TRAINING, "class_weight"),
    Mutant("deep/training/loop.py", "labels.to(device), smoothing", ".to(device)", TRAINING, "rotate"),
    Mutant("deep/training/history.py", "shares.cpu().numpy()", ".cpu()", TRAINING, "rotate"),
    Mutant("deep/classifier.py", "= mean.to(device), deviation", ".to(device)", TRAINING, "normalise"),
    Mutant("deep/classifier.py", "self.normalise(batch.to(self.device))", ".to(self.device)", TRAINING, "rotate"),
    Mutant("deep/classifier.py", "torch.cat(scores).cpu().numpy()", ".cpu()", TRAINING, "rotate"),
    Mutant(
        "deep/augmentation/geometric.py",
        "matrix.to(device, non_blocking=True)",
        ".to(device, non_blocking=True)",
        TRAINING,
        "rotate or flip",
    ),
    Mutant(
        "deep/augmentation/geometric.py",
        "torch.arange(width, device=device)",
        ", device=device",
        TRAINING,
        "rotate or flip",
    ),
    Mutant(
        "deep/augmentation/intensity.py",
        "torch.arange(5, 0, -2, device=batch.device)",
        ", device=batch.device",
        TRAINING,
        "hue",
    ),
    Mutant(
        "deep/augmentation/intensity.py",
        "keepdim=True)).to(batch.device, batch.dtype",
        "batch.device, ",
        TRAINING,
        "blur",
    ),
    Mutant("deep/augmentation/intensity.py", "torch.Generator(batch.device)", "batch.device", TRAINING, "noise"),
    Mutant(
        "deep/augmentation/mixup.py",
        "(numbers).to(like.device, non_blocking=True)",
        ".to(like.device, non_blocking=True)",
        TRAINING,
        "cutmix",
    ),
    Mutant("deep/pretrained/encoders.py", "torch.tensor(rgb, device=device)", ", device=device", METHODS, "probe"),
    Mutant("methods/embedding.py", "batch.to(self.device).to(torch.float32)", ".to(self.device)", METHODS, "probe"),
    Mutant("methods/classical.py", "[part.to(device) for part in state", ".to(device)", METHODS, "flat"),
    Mutant("features/oversampling.py", "np.float32)).to(features.device)", ".to(features.device)", METHODS, "smote"),
    Mutant(
        "features/patterns.py", "_bin_of_pattern().to(patterns.device)", ".to(patterns.device)", MACHINES, "features"
    ),
    Mutant("features/rings.py", "shape[2:]).to(images.device)", ".to(images.device)", MACHINES, "features"),
    Mutant("features/brightness.py", "torch.float64, device=device)", ", device=device", MACHINES, "features"),
    Mutant(
        "features/cooccurrence.py", "torch.float32, device=pairs.device)", ", device=pairs.device", MACHINES, "features"
    ),
    Mutant(
        "svm/kernels.py",
        "torch.empty(len(x), dtype=torch.float64, device=x.device)",
        ", device=x.device",
        MACHINES,
        "awkward",
    ),
    Mutant("svm/solver.py", "torch.Generator(guess.device)", "guess.device", MACHINES, "awkward"),
    Mutant("svm/classifier.py", "coefficients.to(given.x.device)", ".to(given.x.device)", MACHINES, "awkward"),
    Mutant("svm/machines.py", "bound.to(y.device)", ".to(y.device)", MACHINES, "several_labels"),
    Mutant("svm/saved.py", 'state["weights"].to(device)', ".to(device)", METHODS, "flat"),
)


def found(mutant: Mutant, scratch: Path) -> bool:
    """Return whether the tests fail on a copy of the package with this mutant, made in the folder `scratch`."""
    shutil.copytree(ROOT / "cellbench", scratch / "cellbench")
    file = scratch / "cellbench" / mutant.file
    text = file.read_text(encoding="utf-8")
    if mutant.text not in text:
        raise SystemExit(f"{mutant.file} has no text {mutant.text!r} any more; bring tests/card/mutants.py up to date")
    file.write_text(text.replace(mutant.text, mutant.text.replace(mutant.without, "", 1), 1), encoding="utf-8")
    tests = ROOT / "tests" / "card" / mutant.tests
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", str(tests), "-k", mutant.words]
    environment = {**os.environ, "PYTHONPATH": str(scratch), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    refusal = next((line for line in done.stdout.splitlines() if line.startswith("E  ")), "")
    verdict = "found" if done.returncode else "MISSED"
    print(f"{verdict:<7} {mutant.file}: {mutant.text} without {mutant.without}\n        {refusal[4:100]}", flush=True)
    return done.returncode == 1


def main(words: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.file + mutant.text for word in words)]
    missed = 0
    for mutant in chosen:
        with tempfile.TemporaryDirectory() as scratch:
            missed += not found(mutant, Path(scratch))
    print(f"{len(chosen) - missed} of {len(chosen)} mutants found")
    return 4 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
