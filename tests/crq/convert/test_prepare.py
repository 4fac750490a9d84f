"""Swapping layers and placing quantizers."""

import operator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import crq
from crq import models
from crq.errors import CrqError
from crq.quant.layers import IntegerConv2d, IntegerLinear, QuantLayer, TernaryConv2d, TernaryLinear
from crq.quant.quantizers import ActQuant, quantizers
from tests.support.bodies import Net, calls
from tests.support.shapes import SHAPES

IMAGES = torch.rand(2, 3, 8, 8)


def test_digits_network() -> None:
    prepared = crq.prepare(models.build("digits-cnn"), example_input=torch.rand(2, 1, 8, 8))
    expected = "u8 TernaryConv2d BatchNorm2d ReLU u4 TernaryConv2d BatchNorm2d ReLU u4 MaxPool2d Flatten TernaryLinear"
    assert calls(prepared) == expected
    assert list(quantizers(prepared)) == ["input_quant", "conv1_quant", "conv2_quant"]
    assert prepared.input_quant.scale == 2.0**-8
    assert prepared.input_quant.fixed


def test_dropout_acts_in_training_and_is_gone_in_the_frozen_network() -> None:
    def forward(net, x):
        x = F.dropout2d(net.relu(net.bn1(net.conv1(x))), 0.3, training=net.training)
        return net.fc(net.flatten(net.drop(net.average(net.relu(net.bn2(net.conv2(x)))))))

    prepared = crq.prepare(Net(forward).eval(), example_input=IMAGES)
    assert calls(prepared) == (
        "u8 TernaryConv2d BatchNorm2d ReLU u4 Dropout2d TernaryConv2d BatchNorm2d ReLU u4 AdaptiveAvgPool2d u8 Dropout "
        "Flatten TernaryLinear"
    )
    prepared.train()
    torch.manual_seed(0)
    assert not torch.equal(prepared(IMAGES), prepared(IMAGES))
    crq.set_mode(prepared, "quantized")
    frozen = crq.freeze(prepared, [torch.randint(0, 256, (8, *IMAGES.shape[1:]), dtype=torch.uint8)])
    assert not any("drop" in name.lower() for name in frozen.steps)


def test_residual_block() -> None:
    def forward(net, x):
        x = net.relu(net.bn1(net.conv1(x)))
        y = net.bn2(net.conv2(x))
        y += x
        return net.fc(F.relu(y).mean((2, 3)))

    prepared = crq.prepare(Net(forward), example_input=IMAGES)
    assert calls(prepared) == (
        "u8 TernaryConv2d BatchNorm2d ReLU u4 TernaryConv2d BatchNorm2d s8 add ReLU u4 AdaptiveAvgPool2d u8 Flatten "
        "TernaryLinear"
    )
    assert "add_quant" in quantizers(prepared)
    assert "conv2_quant" in quantizers(prepared)


def test_names_carry_the_users_module_path() -> None:
    names = set(quantizers(crq.prepare(models.build("resnet20"))))
    assert {"blocks_0_add_quant", "blocks_3_conv1_quant", "blocks_3_shortcut_0_quant", "input_quant"} <= names


def test_sum_without_relu_gets_one_quantizer_for_all_readers() -> None:
    def forward(net, x):
        x = net.relu(net.bn1(net.conv1(x)))
        y = x + net.conv2(x)
        z = net.relu(y) + y
        return net.fc(z.mean((2, 3)))

    words = calls(crq.prepare(Net(forward), example_input=IMAGES))
    assert words == (
        "u8 TernaryConv2d BatchNorm2d ReLU u4 TernaryConv2d s8 add s8 ReLU u4 add s8 AdaptiveAvgPool2d s8 Flatten "
        "TernaryLinear"
    )


def test_layer_to_layer_without_relu_and_pool_between_layer_and_norm() -> None:
    def forward(net, x):
        x = net.conv2(net.conv1(x))
        return net.fc(net.relu(net.bn1(net.pool(x))).mean((2, 3)))

    words = calls(crq.prepare(Net(forward), crq.TernaryConfig(act_bits=3), IMAGES))
    assert words.startswith("u8 TernaryConv2d s3 TernaryConv2d MaxPool2d BatchNorm2d ReLU u3 ")


def test_concatenation_operands_are_coded() -> None:
    def forward(net, x):
        y = net.conv1(x)
        z = torch.cat((F.relu(y), y), dim=1)
        return net.head(F.adaptive_avg_pool2d(z, 1).flatten(1))

    net = Net(forward)
    net.head = nn.Linear(16, 2)
    expected = "u8 TernaryConv2d s8 ReLU u4 cat AdaptiveAvgPool2d s8 Flatten TernaryLinear"
    assert calls(crq.prepare(net)) == expected


def test_relu6_becomes_a_quantizer_that_ends_below_6() -> None:
    model = Net(lambda net, x: net.fc(F.relu6(net.conv1(x)).mean((2, 3))))
    with torch.no_grad():
        model.conv1.bias.fill_(5.8)
    prepared = crq.prepare(model)
    assert calls(prepared) == "u8 TernaryConv2d ReLU u4 AdaptiveAvgPool2d u8 Flatten TernaryLinear"
    assert torch.allclose(prepared(IMAGES), model(IMAGES), atol=1e-5)
    assert float(model.conv1(IMAGES).detach().max()) > 6.0  # so that the clip matters
    crq.set_mode(prepared, "quantized")
    prepared.conv1_quant.calibrate(torch.tensor([60.0]))
    assert prepared.conv1_quant.scale * 15 <= 6.0


def test_one_bit_activations_use_two_signed_bits_where_there_is_no_relu() -> None:
    words = calls(
        crq.prepare(Net(lambda net, x: net.fc(net.relu(net.conv2(net.conv1(x))).mean((2, 3)))), crq.TernaryConfig(1))
    )
    assert words.startswith("u8 TernaryConv2d s2 TernaryConv2d ReLU u1 ")


@pytest.mark.parametrize("name", models.names())
def test_float_mode_computes_what_the_model_computes(name: str) -> None:
    options = {
        "resnet18": {"width": 8},
        "alexnet": {"dense": 32},
        "vgg7": {"width": 8},
        "vgg7-unrolled": {"width": 8},
    }.get(name, {})
    torch.manual_seed(0)
    model = models.build(name, **options).eval()
    x = torch.rand(2, *((3, 64, 64) if name == "resnet18" else SHAPES[name]))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    prepared = crq.prepare(model, example_input=x).eval()
    assert torch.allclose(prepared(x), model(x), atol=1e-5)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(isinstance(module, QuantLayer) for module in model.modules())
    layers = crq.coded_layers(prepared)
    plain = [m for m in model.modules() if isinstance(m, (nn.Conv1d, nn.Conv2d, nn.Linear))]
    assert len(layers) == len(plain)
    crq.set_mode(prepared, "quantized")
    prepared.train()(x).sum().backward()
    assert all(layer.weight.grad is not None for layer in layers.values())


def test_skip_and_integer_patterns() -> None:
    config = crq.TernaryConfig(skip=["blocks.0", "*.shortcut.0"], integer={"first": 8, "last": 4})
    prepared = crq.prepare(models.build("resnet20"), config)
    assert isinstance(prepared.conv1, IntegerConv2d)
    assert isinstance(prepared.fc, IntegerLinear)
    assert prepared.fc.weight_bits == 4
    assert type(prepared.get_submodule("blocks.0.conv1")) is nn.Conv2d
    assert type(prepared.get_submodule("blocks.3.shortcut.0")) is nn.Conv2d
    assert type(prepared.get_submodule("blocks.3.conv1")) is TernaryConv2d


def test_first_and_last_are_names_when_layers_have_them() -> None:
    model = nn.Sequential()
    model.add_module("other", nn.Linear(4, 4))
    model.add_module("first", nn.Linear(4, 4))
    prepared = crq.prepare(model, crq.TernaryConfig(integer={"first": 8}))
    assert isinstance(prepared.first, IntegerLinear)
    assert isinstance(prepared.other, TernaryLinear)


def test_float_activations_insert_nothing() -> None:
    assert not quantizers(crq.prepare(models.build("lenet"), crq.TernaryConfig(act_bits=None)))


def test_unmatched_pattern_lists_the_layers() -> None:
    with pytest.raises(
        CrqError, match=r"skip pattern 'cnv1' matches no layer \(did you mean 'conv1'\?\); layers are conv1, conv2, fc"
    ):
        crq.prepare(models.build("digits-cnn"), crq.TernaryConfig(skip=["cnv1"]))
    with pytest.raises(CrqError, match="'conv1' is matched by both skip and integer"):
        crq.prepare(models.build("digits-cnn"), crq.TernaryConfig(skip=["conv1"], integer={"first": 8}))


def test_non_finite_weights_are_named() -> None:
    model = models.build("digits-cnn")
    with torch.no_grad():
        model.conv2.weight[0, 0, 0, 0] = float("inf")
    with pytest.raises(CrqError, match=r"conv2\.weight has non-finite weights"):
        crq.prepare(model)


@pytest.mark.parametrize("move", [nn.PixelShuffle(2), nn.Upsample(scale_factor=2), nn.ZeroPad2d(1)])
def test_scores_that_are_moved_at_the_end_are_refused(move: nn.Module) -> None:
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)]
    with pytest.raises(CrqError, match=rf"ends by moving the scores of '2' \({type(move).__name__}\): return them"):
        crq.prepare(nn.Sequential(*layers, move))
    crq.prepare(nn.Sequential(*layers, nn.ReLU(), move))


def test_scores_that_are_moved_in_parts_are_refused_too() -> None:
    class Swapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a, b = self.fc(x).chunk(2, 1)
            return torch.cat([b, a], 1)

    with pytest.raises(CrqError, match=r"ends by moving the scores of 'fc' \(Channels\)"):
        crq.prepare(Swapped(), example_input=torch.rand(2, 4))


def test_sums_are_additions_of_codes_only() -> None:
    prepared = crq.prepare(models.build("resnet20"))
    for node in prepared.graph.nodes:
        if node.target is operator.add:
            for operand in node.all_input_nodes:
                assert isinstance(prepared.get_submodule(operand.target), ActQuant)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((nn.Linear,), "prepare takes an nn.Module, not the class Linear: make one of it"),
        ((nn.Linear(2, 2), "ste"), r"config: expected a TernaryConfig, as .*, not str"),
        ((nn.Linear(2, 2), {"act_bits": 4}), "config: expected a TernaryConfig, .* not dict"),
        ((nn.Linear(2, 2), None, {"x": 0}), r"example_input: expected a tensor of images \[N, …\], not dict"),
    ],
)
def test_arguments_of_another_kind(arguments: tuple, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        crq.prepare(*arguments)


def test_a_prepared_model_is_not_prepared_again() -> None:
    with pytest.raises(CrqError, match=r"the model is the result of crq\.prepare already"):
        crq.prepare(crq.prepare(nn.Linear(2, 2)))


def test_a_whole_model_survives_saving(tmp_path) -> None:
    x = torch.randint(0, 256, (4, 1, 8, 8)) / 256
    for example in (None, x):
        model = crq.prepare(models.build("digits-cnn"), example_input=example)
        crq.quantize(model, x)
        torch.save(model, tmp_path / "m.pt")
        loaded = torch.load(tmp_path / "m.pt", weights_only=False)
        with torch.no_grad():
            assert torch.equal(loaded.eval()(x), model.eval()(x))
        assert torch.equal(crq.freeze(loaded, x).integers(x), crq.freeze(model, x).integers(x))


def test_state_survives_saving(tmp_path) -> None:
    prepared = crq.prepare(models.build("digits-cnn"))
    torch.save(prepared.state_dict(), tmp_path / "a.pt")
    other = crq.prepare(models.build("digits-cnn"))
    other.load_state_dict(torch.load(tmp_path / "a.pt", weights_only=True))
    assert all(
        torch.equal(a, b) for a, b in zip(prepared.state_dict().values(), other.state_dict().values(), strict=True)
    )
