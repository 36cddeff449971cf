"""The number type that a net computes in."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Precision:
    """The type of convolutions and matrix products under autocast; None is float32 throughout."""

    autocast: torch.dtype | None
    device: str

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context in which the net computes in this type."""
        return torch.autocast(self.device, self.autocast or torch.bfloat16, enabled=self.autocast is not None)

    def __str__(self) -> str:
        return {torch.bfloat16: "bf16", torch.float16: "fp16", None: "fp32"}[self.autocast]


def choose_precision(wanted: str, device: str) -> Precision:
    """Return the precision that is wanted: 'bf16', 'fp16', 'fp32' or 'auto'.

    'auto' is bf16 if the processor or card has instructions for it, else fp32.
    """
    if wanted == "auto":
        has_bf16 = torch.cuda.get_device_capability() >= (8, 0) if device == "cuda" else _processor_has_bf16()
        wanted = "bf16" if has_bf16 else "fp32"
    return Precision({"bf16": torch.bfloat16, "fp16": torch.float16}.get(wanted), device)


def _processor_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
