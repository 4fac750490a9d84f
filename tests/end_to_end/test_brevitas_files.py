"""Files exported by Brevitas: the integer graph equals the file's constants evaluated in float64."""

from __future__ import annotations

import warnings

import onnx
import pytest
import torch
from onnx import ModelProto
from torch import nn

from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from tests.support.qonnx_files import assert_equal_to_file, in_float32

brevitas = pytest.importorskip("brevitas.nn", reason="Brevitas is a test dependency: pip install .[test]")


class Net(nn.Module):
    """Brevitas layers with everything the reader must take, chosen by options."""

    def __init__(self, weights, bits: int, signed: bool, bias: bool, residual: bool, scaling) -> None:
        super().__init__()
        import brevitas.nn as qnn
        from brevitas.quant import Int8ActPerTensorFloat, Uint8ActPerTensorFloat

        options = {"weight_quant": weights, "weight_bit_width": 2}
        self.quant_in = qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, return_quant_tensor=True, **scaling)
        self.conv1 = qnn.QuantConv2d(2, 6, 3, padding=1, bias=bias, **options)
        self.bn1 = nn.BatchNorm2d(6)
        self.act1 = self._act(qnn, Int8ActPerTensorFloat, bits, signed, scaling)
        self.conv2 = qnn.QuantConv2d(6, 6, 3, padding=1, groups=2, bias=False, **options)
        self.bn2 = nn.BatchNorm2d(6)
        self.act2 = self._act(qnn, Int8ActPerTensorFloat, bits, signed, scaling)
        self.shared = qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat, return_quant_tensor=True, **scaling)
        self.act3 = self._act(qnn, Int8ActPerTensorFloat, bits, signed, scaling)
        self.residual = residual
        self.fc = qnn.QuantLinear(6 * 9, 4, bias=bias, **options)

    @staticmethod
    def _act(qnn, quant, bits, signed, scaling):
        if signed:
            return qnn.QuantIdentity(act_quant=quant, bit_width=bits, return_quant_tensor=True, **scaling)
        return qnn.QuantReLU(bit_width=bits, return_quant_tensor=True, **scaling)

    def forward(self, x):
        x = self.act1(self.bn1(self.conv1(self.quant_in(x))))
        y = self.bn2(self.conv2(x))
        x = self.act3(self.shared(x) + self.shared(y)) if self.residual else self.act2(y)
        x = torch.max_pool2d(x, 2)
        return self.fc(x.flatten(1))


def exported(net: nn.Module, shape: tuple[int, ...], path) -> ModelProto:
    from brevitas.export import export_qonnx

    torch.manual_seed(1)
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(8, *shape))
    net.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export_qonnx(net, torch.rand(1, *shape), str(path))
    return onnx.load(path)


def _weight_quantizers():
    from brevitas.quant import Int8WeightPerChannelFloat, Int8WeightPerTensorFixedPoint, Int8WeightPerTensorFloat
    from brevitas.quant.ternary import SignedTernaryWeightPerTensorConst

    return {
        "ternary": SignedTernaryWeightPerTensorConst,
        "general": Int8WeightPerTensorFloat,
        "per-channel": Int8WeightPerChannelFloat,
        "power-of-two": Int8WeightPerTensorFixedPoint,
    }


@pytest.mark.parametrize(
    ("weights", "bits", "signed", "bias", "residual"),
    [
        ("ternary", 4, False, True, False),
        ("ternary", 8, False, False, True),
        ("general", 2, True, False, False),
        ("general", 3, True, True, True),
        ("per-channel", 1, False, True, False),
        ("per-channel", 8, False, False, True),
        ("power-of-two", 4, False, True, False),
        ("power-of-two", 5, True, True, True),
    ],
)
def test_brevitas_networks(weights: str, bits: int, signed: bool, bias: bool, residual: bool, tmp_path) -> None:
    from brevitas.core.restrict_val import RestrictValueType

    torch.manual_seed(bits)
    scaling = {"restrict_scaling_type": RestrictValueType.POWER_OF_TWO} if bits == 8 else {}
    net = Net(_weight_quantizers()[weights], bits, signed, bias, residual, scaling)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
    proto = exported(net, (2, 6, 6), tmp_path / "b.onnx")
    graph = assert_equal_to_file(proto, tmp_path)
    own = in_float32(proto, tmp_path, 20)
    assert own.explained == own.images_differing
    assert all(layer.weight_type in ("TERNARY", "BIPOLAR") for layer in Network(graph) if isinstance(layer, Mac))
