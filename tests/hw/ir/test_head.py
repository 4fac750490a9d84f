"""Operations behind the scores, against PyTorch; the lines for host.py are the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from crq.hw.ir.head import HEADS, finished, head_source

TOLD = {"TopK": {"k": 3, "output": 1}, "ArgMax": {"keepdims": 0}}
TORCH = {
    "Softmax": lambda x: x.softmax(1), "LogSoftmax": lambda x: x.log_softmax(1), "ArgMax": lambda x: x.argmax(1),
    "TopK": lambda x: x.topk(3, 1).indices, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Relu": torch.relu,
}  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 5), (2, 6, 3, 3)], ids=str)
@pytest.mark.parametrize("kind", HEADS)
def test_it_is_what_torch_gives(kind: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(0, 3, shape).astype(np.float32)
    head = ((kind, TOLD.get(kind, {})),)
    expected = TORCH[kind](torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(finished(head, x), expected, rtol=2e-6, atol=1e-6)
    names = {"np": np, "x": x}
    exec(head_source(head).replace("\n    ", "\n").strip(), names)
    np.testing.assert_allclose(names["x"], finished(head, x), rtol=1e-6)


def test_operations_follow_each_other() -> None:
    x = np.array([[1.0, 3.0, 2.0]], np.float32)
    assert finished((("Softmax", {}), ("ArgMax", {"keepdims": 1})), x).tolist() == [[1]]
    assert finished((("TopK", {"k": 2, "largest": 0, "output": 1}),), x).tolist() == [[0, 2]]
    assert finished((("TopK", {"k": 2, "output": 0}),), x).tolist() == [[3, 2]]
    values, places = finished((("TopK", {"k": 2, "output": 2}),), x)
    assert (values.tolist(), places.tolist()) == ([[3, 2]], [[1, 2]])
    assert finished((), x) is x
