"""Random small networks in users' style, as hypothesis strategies."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import reject
from hypothesis import strategies as st
from torch import Tensor, nn


class RandomNet(nn.Module):
    """Blocks drawn at random: convolution (groups, stride, dilation, padding), batch norm, ReLU, pool, skip."""

    def __init__(self, shape: tuple[int, int, int], blocks: list[dict[str, Any]], classes: int) -> None:
        super().__init__()
        channels = shape[0]
        for i, b in enumerate(blocks):
            groups = b["groups"] if channels % b["groups"] == 0 and b["out"] % b["groups"] == 0 else 1
            conv = nn.Conv2d(
                channels, b["out"], b["kernel"], b["stride"], b["padding"], b["dilation"], groups, bias=b["bias"]
            )  # fmt: skip
            setattr(self, f"conv{i}", conv)
            if b["norm"]:
                norm = nn.BatchNorm2d(b["out"])
                nn.init.normal_(norm.weight)
                nn.init.normal_(norm.bias)
                setattr(self, f"bn{i}", norm)
            channels = b["out"]
        self.eval()
        self.plan = [dict(b) for b in blocks]
        x = torch.zeros(1, *shape)
        with torch.no_grad():
            for i, b in enumerate(self.plan):  # drop what does not fit, so that forward has no branch on shapes
                y = getattr(self, f"conv{i}")(x)
                if b["pool"] in ("before", "average") and min(y.shape[2:]) < 2:
                    b["pool"] = ""
                size = [n // 2 for n in y.shape[2:]] if b["pool"] == "before" else list(y.shape[2:])
                b["skip"] = b["skip"] and [y.shape[1], *size] == list(x.shape[1:])
                x = self.block(x, i, b)
        self.head = nn.Linear(x.flatten(1).shape[1], classes)

    def block(self, x: Tensor, i: int, b: dict[str, Any]) -> Tensor:
        y = getattr(self, f"conv{i}")(x)
        if b["pool"] == "before":
            y = torch.max_pool2d(y, 2)
        if b["norm"]:
            y = getattr(self, f"bn{i}")(y)
        if b["skip"]:
            y = x + y
        if b["relu"]:
            y = torch.relu(y)
        if b["pool"] == "after":
            y = torch.max_pool2d(y, 3, 2, 1)
        if b["pool"] == "average":
            y = nn.functional.avg_pool2d(y, 2)
        return y

    def forward(self, x: Tensor) -> Tensor:
        for i, b in enumerate(self.plan):
            x = self.block(x, i, b)
        return self.head(x.flatten(1))


BLOCK = st.fixed_dictionaries(
    {
        "out": st.sampled_from([1, 2, 3, 4, 6]),
        "kernel": st.sampled_from([1, 2, 3, (1, 3), (3, 2)]),
        "stride": st.sampled_from([1, 1, 2, (2, 1)]),
        "padding": st.sampled_from([1, 2, (1, 2)]),
        "dilation": st.sampled_from([1, 1, 2]),
        "groups": st.sampled_from([1, 1, 2, 3]),
        "bias": st.booleans(),
        "norm": st.booleans(),
        "skip": st.booleans(),
        "relu": st.booleans(),
        "pool": st.sampled_from(["", "", "before", "after", "average"]),
    }
)


@st.composite
def networks(draw: st.DrawFn) -> tuple[RandomNet, tuple[int, int, int], dict[str, Any], int]:
    """(network, image shape, TernaryConfig fields, seed)."""
    shape = (draw(st.integers(1, 4)), draw(st.integers(4, 9)), draw(st.integers(4, 9)))
    blocks = draw(st.lists(BLOCK, min_size=1, max_size=3))
    seed = draw(st.integers(0, 1000))
    config = {
        "act_bits": draw(st.integers(1, 8)),
        "residual_bits": draw(st.integers(3, 8)),
        "pool_bits": draw(st.integers(2, 8)),
        "integer": draw(st.sampled_from([{}, {}, {"first": 8}, {"last": 4}])),
    }
    torch.manual_seed(seed)
    try:
        net = RandomNet(shape, blocks, draw(st.integers(1, 5)))
    except RuntimeError:  # a kernel larger than what earlier blocks left of the image
        reject()
    return net, shape, config, seed
