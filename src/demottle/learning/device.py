"""Where to compute, and how precisely."""

import torch


def best_device() -> torch.device:
    """A GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_fast_bfloat16() -> bool:
    """Half precision pays on GPUs and on processors with bfloat16 arithmetic; elsewhere it is emulated and slow."""
    if torch.cuda.is_available():
        return True
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
