"""Views, slices and shuffles: what they are together."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import crq
from crq.convert.channels import Channels
from crq.convert.trace import trace
from crq.errors import CrqError
from tests.support.bodies import Net, assert_traced

X = torch.randn(2, 3, 8, 8)


def shuffle(x):
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


CASES = {
    "slice": (lambda x: x[:, 2:5].relu(), "Channels ReLU"),
    "every other": (lambda x: x[:, ::2].relu(), "Channels ReLU"),
    "ellipsis": (lambda x: x[:, 3:, ...].relu(), "Channels ReLU"),
    "all of them": (lambda x: x[:, :99].relu(), "ReLU"),
    "chunk": (lambda x: x.chunk(2, 1)[1].relu(), "Channels ReLU"),
    "split": (lambda x: torch.split(x, [3, 5], dim=1)[0].relu(), "Channels ReLU"),
    "shuffle": (lambda x: shuffle(x).relu(), "Channels ReLU"),
    "there and back": (lambda x: x.permute(0, 2, 3, 1).permute(0, 3, 1, 2).relu(), "ReLU"),
    "squeezed": (lambda x: x.mean((2, 3), keepdim=True).squeeze(-1).squeeze(-1), "AdaptiveAvgPool2d Flatten"),
    "features last": (lambda x: x.permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2), "Transposed ReLU Transposed"),
    "features last, flattened": (lambda x: x.permute(0, 2, 3, 1).flatten(1), "Transposed Flatten"),
    "flattened by parts": (lambda x: x.flatten(2).reshape(x.size(0), -1), "Flatten"),
    "flattened from the end": (lambda x: x.flatten(1, 3), "Flatten"),
    "crop": (lambda x: x[:, :, 1:-1, 2:].relu(), "Pixels ReLU"),
    "stride of channels and pixels": (lambda x: x[:, ::2, 1::2, ::3].relu(), "Channels Pixels ReLU"),
    "narrowed": (lambda x: x.narrow(2, 1, 3).narrow(3, 0, 2), "Pixels"),
    "rows dropped": (lambda x: x[:, :, :1].squeeze(2).unsqueeze(2), "Pixels"),
    "a row as a signal": (lambda x: x.amax(2, keepdim=True).squeeze(2).relu(), "MaxPool2d Row ReLU"),
    "one row": (lambda x: x[:, :, 2].relu(), "Pixels Row ReLU"),
    "a corner": (lambda x: x[:, :, 0, -1], "Pixels Flatten"),
    "a patch, flattened": (lambda x: x[:, ::2, 1:5:2, ::3].flatten(1), "Channels Pixels Flatten"),
    "of features": (lambda x: x.mean((2, 3))[:, 1::2].relu(), "AdaptiveAvgPool2d Flatten Channels ReLU"),
    "to a count": (lambda x: x.view(x.size(0), 8 * x.shape[2] * x.shape[3]), "Flatten"),
}


@pytest.mark.parametrize("case", CASES)
def test_same_values(case: str) -> None:
    assert_traced(*CASES[case], X)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.data())
def test_any_slices_in_a_row_are_one_choice(depth: int, data) -> None:
    ends = st.one_of(st.none(), st.integers(-9, 9))
    slices = [slice(data.draw(ends), data.draw(ends), data.draw(st.integers(1, 3))) for _ in range(depth)]

    def body(net, x):
        x = net.conv1(x)
        for part in slices:
            x = x[:, part]
        return x.relu()

    net = Net(body).eval()
    with torch.no_grad():
        expected = net(X)
        if not expected.numel():
            return
        traced = trace(net, X)
        assert torch.equal(traced(X), expected)
        assert sum(isinstance(module, Channels) for module in traced.modules()) <= 1


@pytest.mark.parametrize(
    "body",
    [
        lambda x: x.transpose(2, 3),
        lambda x: x.flip(3),
        lambda x: x[:, :, [2, 1, 0]],
        lambda x: x.view(-1, 4, 8, 8),
        lambda x: x[1:],
        lambda x: x.permute(1, 0, 2, 3),
    ],
)
def test_other_orders_are_refused(body) -> None:
    with pytest.raises(CrqError, match="is not supported: what only moves|lists the layers|must be|takes 8 channels"):
        crq.prepare(Net(lambda net, x: net.conv2(body(net.conv1(x)).relu())), example_input=X)
