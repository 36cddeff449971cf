"""A prepared toy data set, and methods that misbehave, for tests of the harness itself."""

import pytest

from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings

BAD_METHODS = """
import os, signal, time
import numpy as np
from cellbench.core.errors import DataError
from cellbench.methods import method

@method("bad", "misbehaves", family="svm", cost=50)  # the last to run
class Bad:
    backend, chosen, parameters = "none", {}, None
    def __init__(self, *, how: str = "nothing", size: int = 8): self.how = how
    @property
    def facts(self): return {"told": sorted(self.log.seconds), "family": "x"} if self.how == "tells" else {}
    def fit(self, train, val, log):
        self.log = log
        with log.phase("fit"):
            if self.how == "raises": raise RuntimeError("the lamp is out")
            if self.how == "says": raise DataError("no nuclei were found; stain them")
            if self.how == "dies": os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "exits": os._exit(7)
            if self.how == "quits": raise SystemExit("no lamp")
            if self.how == "rambles": raise RuntimeError("x" * 50_000_000)
            if self.how == "prints": print("not an output of the command")
            if self.how == "ends its group": os.killpg(0, signal.SIGKILL)
            if self.how == "leaves a child":
                if os.fork() == 0: time.sleep(60)
                os._exit(7)
            if self.how == "fills the card":
                import torch
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
            if self.how == "has no thread": raise RuntimeError("can't start new thread")
            if self.how == "is greedy": np.ones(4 * 10**9, np.uint8)
            if self.how == "sleeps": time.sleep(60)
            if self.how == "holds the lock": sum(range(10**13))
            if self.how == "numpy": self.chosen = {"C": object()}
    def predict(self, images):
        scores = np.tile(images.reshape(len(images), -1)[:, :1].astype(np.float32), (1, 3))
        return scores * np.nan if self.how == "blank" else scores
"""


@pytest.fixture
def toy_folder():
    """The folder of the prepared toy data set."""
    return cache.prepare("toy", lambda scratch: rings())


@pytest.fixture
def bad_plugin(tmp_path):
    """A plug-in file whose method fails in the manner that --set how=... asks for, known here as well."""
    from cellbench.core.registry import load_plugin_file
    from cellbench.methods import methods

    file = tmp_path / "bad_methods.py"
    file.write_text(BAD_METHODS)
    if "bad" not in methods:
        load_plugin_file(file)
    yield file
    methods._entries.pop("bad", None)
    import sys

    for name in [name for name in sys.modules if name.startswith("cellbench_plugin_bad_methods")]:
        del sys.modules[name]
