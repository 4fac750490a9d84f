"""A network as torch.compile runs it."""

from __future__ import annotations

import os
import shutil
from typing import cast

import torch
from torch import nn

from crq.errors import CrqError


def compiled(network: nn.Module) -> nn.Module:
    """`network`, with operations that follow each other fused; it shares parameters and state with the original.

    Raises `CrqError` where torch.compile lacks what it builds with: a C++ compiler, for processors.
    """
    compiler = os.environ.get("CXX", "g++")
    if not torch.cuda.is_available() and shutil.which(compiler) is None:
        raise CrqError(
            f"fused = true needs a C++ compiler, and {compiler} is not on the PATH. Install it (on Debian: apt-get "
            "install g++), name another one in the environment variable CXX, or leave `fused` out of the recipe"
        )
    return cast(nn.Module, torch.compile(network))
