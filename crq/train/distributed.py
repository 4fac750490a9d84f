"""Several processes training one network, as started by `torchrun`; a single process needs none of it."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist


def world() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """This process's number; process 0 writes the files."""
    return int(os.environ.get("RANK", "0")) if world() > 1 else 0


def is_main() -> bool:
    """Whether this process writes files and messages."""
    return rank() == 0


def start() -> None:
    """Join the process group, before Lightning would, so that barriers work between phases too."""
    if world() > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def barrier() -> None:
    """Wait for the other processes."""
    if world() > 1:
        dist.barrier()
