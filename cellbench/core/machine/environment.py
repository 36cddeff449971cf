"""The machine and the software that a run used: what must match before two times may be compared."""

import ctypes
import importlib.metadata
import os
import platform
import re
import uuid
from pathlib import Path

import platformdirs

from ..mixed_values import Document

PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "scikit-image", "torch", "torchvision")


def versions() -> dict[str, str]:
    """Return the installed version of each package that may change a result or a time, without absent packages."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Return the processor's model name, as the operating system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cuda_driver() -> bool:
    """Whether NVIDIA's driver is installed and sees a card; cheap, so that torch needn't be imported to know."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def describe(device: str, threads: int, gpu: str = "") -> Document:
    """Return the environment as a record keeps it, without any host name, user name or path.

    threads: the number of threads that a run may use. gpu: name of the card, left out if empty.
    """
    facts: Document = {
        "processor": processor(),
        "cores": cores(),
        "threads": threads,
        "device": device,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": versions(),
    }
    return {**facts, "gpu": gpu} if gpu else facts


def cache_folder() -> Path:
    """Return the folder where decoded data sets are kept: CELLBENCH_DATA, or else the user's cache folder."""
    return Path(os.environ.get("CELLBENCH_DATA") or platformdirs.user_cache_path("cellbench"))


def machine_name(state: Path | None = None) -> str:
    """Return a name of this machine: words of its processor, the number of cores, and a short random id.

    The id is made once and kept in the folder `state`, by default the user's state folder.
    """
    state = state or platformdirs.user_state_path("cellbench")
    file = state / "machine-id"
    try:
        identity = file.read_text(encoding="utf-8").strip()
    except OSError:
        identity = uuid.uuid4().hex[:6]
        try:
            state.mkdir(parents=True, exist_ok=True)
            file.write_text(identity + "\n", encoding="utf-8")
        except OSError:
            identity = "000000"  # nowhere to keep it: one name for all such machines
    brand = re.sub(r"\(.*?\)|\b(cpu|processor|with|core|\d+-core)\b|@.*", " ", processor().lower())
    words = re.findall(r"[a-z0-9]+", brand)[:3]
    return "-".join([*words, f"{cores()}c", identity])
