"""Which layers become what, and networks of any kind with coded weights."""

import pytest
import torch
from torch import nn

import crq
from crq import models
from crq.convert.swap import layer_options
from crq.errors import CrqError
from crq.quant.layers import IntegerLinear, TernaryConv2d, TernaryLinear

TRAIN_ONLY = crq.TernaryConfig(act_bits=None, method="crq")


def test_options_by_pattern() -> None:
    config = crq.TernaryConfig(
        skip=["a.0"],
        integer={"c": 4},
        layers={"a.*": {"method": "twn", "penalty": 0.5}, "b": {"method": "ste"}, "a.1": {"penalty": 0.0}},
    )
    assert layer_options(["a.0", "a.1", "b", "c"], config) == {
        "a.0": {"skip": True, "method": "twn", "penalty": 0.5},
        "a.1": {"method": "twn", "penalty": 0.0},
        "b": {"method": "ste"},
        "c": {"integer": 4},
    }


def test_layers_have_their_own_method_scale_and_share_of_the_penalty() -> None:
    layers = {
        "conv1": {"method": "twn", "per_channel": True}, "conv2": {"penalty": 0.0}, "last": {"integer": 8},
    }  # fmt: skip
    model = crq.prepare(models.build("digits-cnn"), crq.TernaryConfig(method="crq", layers=layers))
    assert (model.conv1.method.name, model.conv1.per_channel, model.conv2.method.name) == ("twn", True, "crq")
    assert isinstance(model.fc, IntegerLinear)
    penalty = crq.ClusterPenalty(model, lam=0.5)
    penalty().backward()
    assert not model.conv2.weight.grad.any()
    by_term = model.conv1.weight.grad.clone()
    model.zero_grad()
    penalty.add_gradients()
    assert not model.conv2.weight.grad.any()
    assert torch.equal(model.conv1.weight.grad, by_term)
    before = model.conv2.weight.detach().clone(), model.conv1.weight.detach().clone()
    penalty.step(torch.optim.Adam(model.parameters(), lr=0.1))
    assert torch.equal(model.conv2.weight, before[0])
    assert not torch.equal(model.conv1.weight, before[1])


def test_a_pattern_without_a_layer_is_refused() -> None:
    with pytest.raises(CrqError, match=r"layers pattern 'cnv1' matches no layer \(did you mean 'conv1'\?\)"):
        crq.prepare(models.build("digits-cnn"), crq.TernaryConfig(layers={"cnv1": {"method": "twn"}}))


def test_some_layer_has_codes() -> None:
    for options in ({"skip": ["*"]}, {"skip": ["conv*", "fc"]}):
        with pytest.raises(CrqError, match=r"skip matches every layer of the network, conv1, .*: keep one that has"):
            crq.prepare(models.build("digits-cnn"), crq.TernaryConfig(**options))


class Odd(nn.Conv2d):
    def forward(self, x):
        return super().forward(x * 2)


class Attention(nn.Module):
    """Much that has no integer form; one layer in two places, one with a forward of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.patches = Odd(3, 4, 1), nn.Conv2d(4, 16, 4, stride=4)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 1)
        self.lstm, self.shared = nn.LSTM(16, 16, batch_first=True), nn.Linear(16, 16)
        self.again, self.norm, self.head = self.shared, nn.LayerNorm(16), nn.Linear(16, 5)

    def forward(self, x):
        x = self.encoder(self.patches(self.stem(x)).flatten(2).transpose(1, 2))
        x = self.again(torch.sigmoid(self.shared(self.lstm(x)[0])))
        return self.head(self.norm(x) * x).mean(1) if x.sum() != 0 else self.head(x[:, 0])


def test_any_network_trains_with_ternary_weights() -> None:
    torch.manual_seed(0)
    model, x = Attention().eval(), torch.rand(2, 3, 8, 8)
    with pytest.warns(UserWarning, match=r"layer 'stem' \(Odd\) computes in a way of its own"):
        trained = crq.prepare(model, TRAIN_ONLY, x)
    assert not any(isinstance(module, TernaryLinear) for module in model.modules())
    assert torch.allclose(trained(x), model(x), atol=1e-5)
    assert type(trained.stem) is Odd
    assert isinstance(trained.patches, TernaryConv2d)
    assert trained.shared is trained.again
    crq.quantize(trained, [x])
    assert trained.encoder.layers[0].linear1.used_weight().unique().numel() == 3
    with torch.no_grad():  # torch has a fused kernel for this layer in eval mode, which knows nothing of codes
        for layer in crq.coded_layers(trained).values():
            expected = layer.used_weight().clone()
            layer.weight.copy_(expected)
        before = trained(x)
        crq.set_mode(trained, "float")
        assert torch.allclose(trained(x), before, atol=1e-6)
        crq.set_mode(trained, "quantized")
    trained.train()(x).sum().backward()
    assert trained.encoder.layers[0].linear1.weight.grad is not None
    with pytest.raises(CrqError, match="prepared with act_bits=None, for training alone.*act_bits=4"):
        crq.freeze(trained, [x])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"integer": {"a.0": 8}, "layers": {"a.*": {"method": "twn"}}}, "layer 'a.0': an integer layer has no other"),
        ({"layers": {"*": {"method": "ttq"}, "b": {"per_channel": True}}}, "layer 'b': method ttq learns two scales"),
        ({"method": "ttq", "layers": {"b": {"per_channel": True}}}, "layer 'b': method ttq learns two scales"),
    ],
)
def test_what_excludes_one_another_is_refused_across_patterns(options: dict, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        layer_options(["a.0", "a.1", "b"], crq.TernaryConfig(**options))
