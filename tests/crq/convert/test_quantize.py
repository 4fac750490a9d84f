"""`quantize`: mode, scales and batch norms in one step, from any loader."""

import itertools

import pytest
import torch
from torch import nn

import crq
from crq.errors import CrqError
from crq.quant.quantizers import quantizers
from tests.support.nets import Plain, images


def prepared(**config) -> nn.Module:
    torch.manual_seed(0)
    return crq.prepare(Plain(), crq.TernaryConfig(**config))


def test_it_is_the_trainers_sequence() -> None:
    model, by_hand = prepared(), prepared()
    batches = [images(Plain, 16, seed).float() / 256 for seed in range(3)]
    crq.quantize(model, [(x, None) for x in batches])
    crq.set_mode(by_hand, "quantized", activations=False)
    crq.reestimate_batch_norm(by_hand, batches)
    crq.calibrate_activations(by_hand, [torch.cat(batches)])
    crq.set_mode(by_hand, "quantized")
    crq.reestimate_batch_norm(by_hand, batches)
    assert all(torch.equal(value, by_hand.state_dict()[name]) for name, value in model.state_dict().items())
    assert all(q.enabled and bool(q.calibrated) for q in quantizers(model).values())
    crq.freeze(model, batches)


def test_endless_loaders_and_generators_end() -> None:
    x = images(Plain, 4).float() / 256
    for loader in ((x for _ in itertools.count()), itertools.repeat((x, None))):
        model = prepared()
        crq.quantize(model, loader, batches=3)
        assert all(q.enabled for q in quantizers(model).values())


def test_codes_are_worth_what_the_input_says() -> None:
    a, b = prepared(), prepared()
    crq.quantize(a, [images(Plain, 16)])
    crq.quantize(b, [images(Plain, 16).float() / 256])
    assert all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


def test_float_activations_stay_float() -> None:
    model = prepared(act_bits=None)
    crq.quantize(model, [images(Plain, 16).float() / 256])
    assert {layer.mode for layer in crq.coded_layers(model).values()} == {"quantized"}


def test_refusals() -> None:
    with pytest.raises(CrqError, match=r"takes the result of crq\.prepare, not Plain"):
        crq.quantize(Plain(), [])
    with pytest.raises(CrqError, match="at least one batch"):
        crq.quantize(prepared(), [])
    with pytest.raises(CrqError, match=r"takes 1 channels, but samples of shape \(3, 8, 8\) give it 3: make it for 3"):
        crq.quantize(prepared(), [torch.rand(4, 3, 8, 8)])
    with pytest.raises(CrqError, match=r"begins with a tensor of shape \(4,\): expected images \[N, …\] first"):
        crq.quantize(prepared(), [(torch.arange(4), torch.rand(4, *Plain.shape))])
    with pytest.raises(CrqError, match="a batch holds values that are not finite"):
        crq.quantize(prepared(), [torch.full((4, *Plain.shape), torch.nan)])


def test_batches_that_do_not_fit_are_refused_without_batch_norms_too() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    with pytest.raises(CrqError, match="takes 1 channels, .* give it 3"):
        crq.quantize(crq.prepare(net), [torch.rand(8, 3, 8, 8)])
    for given in (net, nn.Sequential(net[0], nn.BatchNorm2d(4), *net[1:])):
        with pytest.raises(CrqError, match=r"takes 144 features, but samples of shape \(1, 9, 9\) give it 196"):
            crq.quantize(crq.prepare(given), [torch.rand(8, 1, 8, 8), torch.rand(8, 1, 9, 9)])


def test_networks_of_float_activations_take_any_batch() -> None:
    words = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    crq.quantize(crq.prepare(words, crq.TernaryConfig(act_bits=None)), [(torch.randint(0, 10, (16,)), torch.zeros(16))])


def test_the_look_at_the_first_batch_changes_nothing() -> None:
    batches = [torch.rand(8, *Plain.shape) for _ in range(3)]
    one, two = prepared(), prepared()
    two.load_state_dict(one.state_dict())
    crq.quantize(one.eval(), batches)
    crq.quantize(two.train(), iter(batches))
    assert two.training
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    norm = next(module for module in one.modules() if isinstance(module, torch.nn.BatchNorm2d))
    assert int(norm.num_batches_tracked) == 3
