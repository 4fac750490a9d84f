"""QuantizeLinear and DequantizeLinear: files of onnxruntime, Brevitas and torch, and every corner of the pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import nn

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_codes
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import CONV, assert_equal_to_file, assert_graph_equals_file, base, conv, graph_of, node

U8, I8 = np.uint8, np.int8


def linear(x: str, y: str, name: str, clip: bool = False, **attributes: object) -> list:
    """The pair, with the parameters NAME_s and NAME_z, and a clip to NAME_lo, NAME_hi."""
    middle = [node("Clip", f"{y}_q {name}_lo {name}_hi", f"{y}_c")] if clip else []
    return [
        node("QuantizeLinear", f"{x} {name}_s {name}_z", f"{y}_q", **attributes), *middle,
        node("DequantizeLinear", f"{y}_{'c' if clip else 'q'} {name}_s {name}_z", y, **attributes),
    ]  # fmt: skip


def file(nodes: list, opset: int = 13, **changes: object) -> ModelProto:
    constants = base() | {
        "i_s": np.float32(0.0625), "i_z": U8(0), "a_s": np.float32(0.31), "a_z": U8(0),
        "a_lo": U8(0), "a_hi": U8(15), "i_lo": U8(0), "i_hi": U8(15),
    }  # fmt: skip
    return graph_of(nodes, constants | changes, opset=opset)


ENTER = linear("x", "xq", "i")


@pytest.mark.parametrize(
    ("zero", "clip", "codes"),
    [
        (U8(0), (U8(0), U8(15)), (0, 15)), (I8(0), (I8(-8), I8(7)), (-8, 7)), (U8(7), (U8(0), U8(15)), (-7, 8)),
        (U8(129), None, (-129, 126)), (I8(-3), None, (-125, 130)),
    ],
)  # fmt: skip
def test_a_pair_is_a_quantizer_with_its_zero_point_taken_off(zero, clip, codes: tuple[int, int]) -> None:
    low, high = clip or (zero, zero)
    nodes = [*ENTER, CONV, node("Mul", "c g", "n"), *linear("n", "y", "a", clip is not None)]
    scale = np.float32(0.05 if clip is None else 0.31)
    graph = assert_graph_equals_file(file(nodes, a_s=scale, a_z=zero, a_lo=low, a_hi=high), count=10)
    last = Network(graph).layers[-1]
    assert (last.kind, last.qmin, last.qmin + last.thresholds.shape[1]) == ("Threshold", *codes)


def test_odd_zero_points_leave_ties_where_they_are() -> None:
    """round(x / s) + 1 and round(x / s + 1) differ at every half."""
    nodes = [*ENTER, CONV, *linear("c", "y", "a")]
    weights = np.ones((5, 2, 3, 3), np.float32)
    assert_graph_equals_file(file(nodes, a_s=np.float32(0.125), a_z=U8(1), w=weights), count=20)


def test_weights_are_folded_with_their_zero_point(tmp_path: Path) -> None:
    nodes = [
        *ENTER, node("DequantizeLinear", "wq w_s w_z", "wf", axis=0), node("DequantizeLinear", "bq b_s", "bf"),
        conv("xq wf bf", "c", "conv", pad=1), *linear("c", "y", "a", True),
    ]  # fmt: skip
    rng = np.random.default_rng(3)
    constants = {
        "wq": rng.integers(99, 102, (5, 2, 3, 3)).astype(U8), "w_z": np.full(5, 100, U8),
        "w_s": rng.uniform(0.1, 0.4, 5).astype(np.float32), "bq": rng.integers(-90, 90, 5).astype(np.int32),
        "b_s": np.float32(0.01),
    }  # fmt: skip
    graph = assert_equal_to_file(file(nodes, **constants), tmp_path)
    assert [layer.weight_type for layer in Network(graph) if layer.kind == "Conv"] == ["TERNARY"]


def test_weights_that_are_quantized_and_clipped_in_the_file() -> None:
    nodes = [node("QuantizeLinear", "wv w_s w_z", "wq"), node("Clip", "wq m1 p1", "wc"),
             node("DequantizeLinear", "wc w_s w_z", "w3"), *ENTER, conv("xq w3", "y", "conv")]  # fmt: skip
    values = np.random.default_rng(0).normal(0, 1, (5, 2, 3, 3)).astype(np.float32)
    constants = {"wv": values, "w_s": np.float32(0.7), "w_z": I8(0), "m1": I8(-1), "p1": I8(1)}
    network = Network(assert_graph_equals_file(file(nodes, **constants), count=5))
    assert np.array_equal(network.layers[0].weights, np.clip(np.rint(values / np.float32(0.7)), -1, 1))


def test_one_quantizer_scaled_back_for_every_reader_is_one_layer() -> None:
    nodes = [*ENTER, CONV, node("QuantizeLinear", "c a_s a_z", "q"), node("DequantizeLinear", "q a_s a_z", "d1"),
             node("DequantizeLinear", "q a_s a_z", "d2"), node("Add", "d1 d2", "y")]  # fmt: skip
    graph = assert_graph_equals_file(file(nodes), count=5)
    assert [layer.kind for layer in Network(graph)] == ["Conv", "Threshold", "Add"]


@pytest.mark.parametrize(
    ("element", "zero"), [(TensorProto.UINT8, U8(0)), (TensorProto.UINT8, U8(3)), (TensorProto.INT8, I8(0))]
)
def test_an_input_of_integers_is_scaled_by_the_host(element: int, zero) -> None:
    proto = file([node("DequantizeLinear", "x i_s i_z", "xq"), CONV, *linear("c", "y", "a", True)], i_z=zero)
    proto.graph.input[0].type.tensor_type.elem_type = element
    network = Network(read_qonnx(proto))
    ends = (-int(zero), 255 - int(zero)) if element == TensorProto.UINT8 else (-128, 127)
    assert (network.inputs[0].lo.min(), network.inputs[0].hi.max()) == ends
    bytes_ = np.arange(72).reshape(1, 2, 6, 6)
    assert np.array_equal(to_codes(network, bytes_), bytes_ - int(zero))


class Images(CalibrationDataReader):
    def __init__(self, shape: tuple[int, ...]) -> None:
        rng = np.random.default_rng(0)
        self.images = iter([{"x": rng.uniform(0, 1, shape).astype(np.float32)} for _ in range(8)])

    def get_next(self):
        return next(self.images, None)


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(4, 3),
    ).eval()  # fmt: skip


def exported(model: nn.Module, path: Path, opset: int = 17) -> Path:
    torch.onnx.export(model, torch.zeros(1, 2, 6, 6), str(path), input_names=["x"], opset_version=opset, dynamo=False)
    return path


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("kind", [QuantType.QUInt8, QuantType.QInt8], ids=str)
def test_onnxruntime(tmp_path: Path, per_channel: bool, kind: QuantType) -> None:
    given, made = exported(small(), tmp_path / "float.onnx"), tmp_path / "qdq.onnx"
    quantize_static(given, made, Images((1, 2, 6, 6)), QuantFormat.QDQ, per_channel=per_channel,
                    activation_type=kind, weight_type=QuantType.QInt8)  # fmt: skip
    proto = onnx.load(made)
    graph = assert_graph_equals_file(proto, count=10)
    assert [layer.kind for layer in Network(graph) if layer.kind in ("Conv", "Dense")] == ["Conv", "Conv", "Dense"]


def test_torch_fake_quantization(tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.fake_quantize_per_tensor_affine(x, 0.01, 0, 0, 255)
            w = torch.fake_quantize_per_tensor_affine(self.conv.weight, 0.02, 0, -128, 127)
            x = nn.functional.conv2d(x, w, self.conv.bias).relu()
            return torch.fake_quantize_per_tensor_affine(x, 0.02, 0, 0, 255)

    torch.manual_seed(0)
    proto = onnx.load(exported(Net().eval(), tmp_path / "fake.onnx"))
    assert_graph_equals_file(proto, count=10)


def test_brevitas_qcdq(tmp_path: Path) -> None:
    import brevitas.nn as qnn
    from brevitas.export import export_onnx_qcdq
    from brevitas.quant import Int8ActPerTensorFixedPoint

    torch.manual_seed(0)
    model = nn.Sequential(
        qnn.QuantIdentity(act_quant=Int8ActPerTensorFixedPoint, bit_width=8),
        qnn.QuantConv2d(2, 5, 3, weight_bit_width=4, bias=False), nn.BatchNorm2d(5),
        qnn.QuantReLU(bit_width=4), nn.Flatten(), qnn.QuantLinear(80, 3, bias=True, weight_bit_width=2),
    )  # fmt: skip
    for _ in range(4):
        model(torch.rand(4, 2, 6, 6))
    export_onnx_qcdq(model.eval(), torch.rand(1, 2, 6, 6), str(tmp_path / "m.onnx"), opset_version=13)
    assert_graph_equals_file(onnx.load(tmp_path / "m.onnx"), count=10)


@pytest.mark.parametrize(
    ("nodes", "changes", "message"),
    [
        ([node("QuantizeLinear", "c a_s a_z", "q"), node("DequantizeLinear", "q i_s a_z", "y")], {},
         r"its scale or zero point is not that of the QuantizeLinear.*\[between-linear\]"),
        ([node("QuantizeLinear", "c a_s a_z", "q"), node("MaxPool", "q", "y", kernel_shape=[2, 2])], {},
         r"reads integers between a QuantizeLinear.*QuantFormat.QDQ.*\[between-linear\]"),
        ([node("QuantizeLinear", "c a_s a_z", "y")], {}, r"output 'y'.*is integers of a QuantizeLinear"),
        ([node("DequantizeLinear", "c a_s a_z", "y")], {}, r"it reads no integers"),
        (linear("c", "y", "a", True), {"a_lo": U8(9), "a_hi": U8(3)}, r"clip to \[9, 3\] of integers"),
        (linear("c", "y", "a"), {"a_z": np.arange(5, dtype=U8), "a_s": np.ones(5, np.float32)}, r"zero points \[0, 1"),
        (linear("c", "y", "a"), {"a_s": np.float32(0)}, r"its scale is 0"),
    ],
)  # fmt: skip
def test_what_is_no_quantizer_is_refused(nodes: list, changes: dict, message: str) -> None:
    with pytest.raises(HwError, match=message):
        read_qonnx(file([*ENTER, CONV, *nodes], **changes))


def test_four_bit_types() -> None:
    proto = file([*ENTER, CONV, *linear("c", "y", "a")], opset=21)
    zero = helper.make_tensor("a_z", TensorProto.INT4, [], [0])
    next(t for t in proto.graph.initializer if t.name == "a_z").CopyFrom(zero)
    assert Network(read_qonnx(proto)).layers[-1].qmin == -8


@pytest.mark.parametrize("op", ["QLinearConv", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"])
def test_other_forms_of_quantized_files_are_named(op: str) -> None:
    with pytest.raises(HwError, match=r"quantize_static\(…, quant_format=QuantFormat.QDQ\).*\[qoperator\]"):
        read_qonnx(file([*ENTER, node(op, "xq", "y", "q")]))


@pytest.mark.parametrize("mover", ["Identity", "Squeeze", "Cast"])
def test_four_bit_types_stay_what_they_are_behind_other_operators(mover: str) -> None:
    """Exporters share a zero point by an Identity: its range is that of its type all the same."""
    nodes = {"Identity": node("Identity", "z4", "a_z"), "Squeeze": node("Squeeze", "z41", "a_z"),
             "Cast": node("Cast", "z8", "a_z", to=TensorProto.INT4)}  # fmt: skip
    proto = file([nodes[mover], *ENTER, CONV, *linear("c", "y", "a")], opset=21, z8=I8(0))
    proto.graph.initializer.remove(next(t for t in proto.graph.initializer if t.name == "a_z"))
    proto.graph.initializer.append(helper.make_tensor("z4", TensorProto.INT4, [], [0]))
    proto.graph.initializer.append(helper.make_tensor("z41", TensorProto.INT4, [1], [0]))
    last = Network(read_qonnx(proto)).layers[-1]
    assert (last.qmin, last.qmin + last.thresholds.shape[1]) == (-8, 7)


def test_small_constants_are_not_computed_with() -> None:
    proto = file([node("Add", "z4 z4", "a_z"), *ENTER, CONV, *linear("c", "y", "a")], opset=21)
    proto.graph.initializer.remove(next(t for t in proto.graph.initializer if t.name == "a_z"))
    proto.graph.initializer.append(helper.make_tensor("z4", TensorProto.INT4, [], [0]))
    with pytest.raises(HwError, match="Add of constants of less than eight bits is not folded"):
        read_qonnx(proto)


@pytest.mark.parametrize("opset", [13, 19, 21])
def test_weights_that_the_file_quantizes_at_every_opset(opset: int) -> None:
    nodes = [node("QuantizeLinear", "wv w_s w_z", "wq"), node("DequantizeLinear", "wq w_s w_z", "w3"), *ENTER,
             conv("xq w3", "y", "conv")]  # fmt: skip
    values = np.random.default_rng(0).normal(0, 20, (5, 2, 3, 3)).astype(np.float32)
    constants = {"wv": values, "w_s": np.float32(0.7), "w_z": I8(3)}
    network = Network(assert_graph_equals_file(file(nodes, opset=opset, **constants), count=5))
    assert np.array_equal(network.layers[0].weights, np.clip(np.rint(values / np.float64(np.float32(0.7))), -131, 124))
