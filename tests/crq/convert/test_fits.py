"""A layer for another number of channels than it gets is named, with both numbers and nothing else on the terminal."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import crq
from crq.convert.fits import Misfit, check_fit

LAYERS = (
    ("features", lambda n: nn.Linear(n, 3), lambda n: (2, n)),
    ("features", lambda n: nn.Linear(n, 3), lambda n: (2, 7, n)),
    ("channels", lambda n: nn.Conv1d(n, 3, 3), lambda n: (2, n, 5)),
    ("channels", lambda n: nn.Conv2d(n, 3, 3), lambda n: (2, n, 5, 5)),
    ("channels", lambda n: nn.ConvTranspose2d(n, 3, 3), lambda n: (2, n, 5, 5)),
    ("channels", lambda n: nn.BatchNorm1d(n), lambda n: (2, n)),
    ("channels", lambda n: nn.BatchNorm2d(n), lambda n: (2, n, 5, 5)),
)


@given(st.sampled_from(LAYERS), st.integers(1, 9), st.integers(1, 9))
def test_what_torch_refuses_is_refused_with_both_numbers(kind, takes: int, gets: int) -> None:
    unit, layer, shape = kind
    module, x = layer(takes).eval(), torch.zeros(shape(gets))
    try:
        module(x)
        fits = True
    except RuntimeError:
        fits = False
    assert fits == (takes == gets)
    if fits:
        check_fit("a", module, x.shape, x.shape[1:])
        return
    with pytest.raises(Misfit, match=rf"layer 'a' \({type(module).__name__}\) takes {takes} {unit}, .* give it {gets}"):
        check_fit("a", module, x.shape, x.shape[1:])


def test_layers_of_other_kinds_take_anything() -> None:
    for module in (nn.ReLU(), nn.Flatten(), nn.MaxPool2d(2)):
        check_fit("a", module, (1, 3, 8, 8), (3, 8, 8))


def test_prepare_and_freeze_say_it_in_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    images = torch.rand(4, 3, 8, 8)
    wide = nn.Sequential(nn.Flatten(), nn.Linear(30, 2))
    with pytest.raises(Misfit, match="'1' .Linear. takes 30 features.*give it 192"):
        crq.prepare(wide, example_input=images)
    model = crq.prepare(net)
    crq.quantize(model, [images])
    with pytest.raises(Misfit, match=r"'0' \(Conv2d\) takes 3 channels.*give it 8: channels come first.*movedim"):
        crq.freeze(model, [images.movedim(1, -1)])
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert "fake_tensor" not in err


def test_a_single_sample_is_no_batch() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    with pytest.raises(Misfit, match=r"of shape \(8, 8\) give it 8: it takes a batch \(N, 1, H, W\); x\[:, None\]"):
        crq.prepare(net, example_input=torch.rand(3, 8, 8))
    crq.prepare(net, example_input=torch.rand(3, 8, 8)[:, None])
    color = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    with pytest.raises(Misfit, match=r"it takes a batch \(N, 3, H, W\); x\[None\] makes"):
        crq.prepare(color, example_input=torch.rand(3, 8, 8))
    crq.prepare(color, example_input=torch.rand(3, 8, 8)[None])
    signal = nn.Sequential(nn.Linear(8, 8), nn.Conv1d(2, 1, 3))  # not at the network's input
    with pytest.raises(Misfit, match="give it 8: make it for 8"):
        check_fit("1", signal[1], (5, 8), (9,))
