"""Files by Brevitas and by hand: the integer graph equals the file's constants evaluated in float64."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from torch import nn

from hw.equality import layer_values, load_network, simulation_link
from hw.errors import HwError
from hw.float_execution import FloatExecution, float_execution
from hw.graph import Network
from hw.layers import Mac
from hw.project import open_project
from hw.read import read_qonnx
from hw.read.constants import Constant
from hw.read.weights import weights_of
from hw.vectors import all_vectors, random_codes
from tests.hw.float64_file import evaluate
from tests.hw.qonnx_files import CONV, TAIL, assert_equal_to_file, base, codes, conv, graph_of, node, quant
from tests.hw.test_read import run

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
    own = _float_execution(proto, tmp_path, 20)
    assert own.images_explained == own.images_differing
    assert all(layer.weight_type in ("TERNARY", "BIPOLAR") for layer in Network(graph) if isinstance(layer, Mac))


# -- by hand: what other tools write -------------------------------------------------------------------------------


def test_spelled_out_batch_norm_and_alpha_in_the_weights(tmp_path) -> None:
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Sub", "c b", "c1"),
        node("Div", "c1 v", "c2"),
        node("Mul", "g c2", "c3"),
        node("Add", "c3 b", "c4"),
        node("Relu", "c4", "r"),
        quant("r", "q", "q1"),
        *TAIL,
    ]
    graph = assert_equal_to_file(graph_of(nodes, base()), tmp_path)
    assert Network(graph)["fc"].weight_type == "TERNARY"


def test_preprocessing_before_the_first_quantizer_is_recorded() -> None:
    nodes = [
        node("Mul", "x two", "x1"),
        node("Sub", "x1 one", "x2"),
        quant("x2", "xq", "qi", signed=1),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        *TAIL,
    ]
    proto = graph_of(nodes, {**base(), "two": np.float32(2), "one": np.float32(1)})
    graph = read_qonnx(proto)
    assert graph.get_metadata_prop("crq.input.preprocessing") == '[["Mul", 2.0], ["Sub", 1.0]]'
    x = codes(graph, 20)
    values = evaluate(proto, (x * np.float64(np.float32(0.07)) + 1) / 2)
    found = run(graph, x) * Network(graph).output_scale.astype(np.float64)
    np.testing.assert_allclose(found, values["y"], rtol=1e-5)


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_flatten_in_disguise_and_opsets(opset: int, tmp_path) -> None:
    """Shape → Gather → Concat → Reshape, as torch writes x.view(x.size(0), -1)."""
    unsqueeze = node("Unsqueeze", "n", "n1", axes=[0]) if opset < 13 else node("Unsqueeze", "n axis", "n1")
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        node("Shape", "q", "s"),
        node("Gather", "s index", "n", axis=0),
        unsqueeze,
        node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "q target", "fl"),
        node("Transpose", "ft", "ftt", perm=[1, 0]),
        node("MatMul", "fl ftt", "y", "fc"),
    ]
    constants = base() | {
        "ft": np.random.default_rng(3).integers(-1, 2, (3, 180)).astype(np.float32),
        "index": np.array(0),
        "rest": np.array([-1]),
        "axis": np.array([0]),
    }
    constants = {k: v for k, v in constants.items() if k != "axis" or opset >= 13}
    proto = graph_of(nodes, constants, opset=opset)
    assert_equal_to_file(proto, tmp_path)


def test_multi_threshold_bipolar_and_bipolar_weights(tmp_path) -> None:
    rng = np.random.default_rng(5)
    constants = base() | {
        "t": np.sort(rng.normal(size=(5, 3)), axis=1).astype(np.float32),
        "w2": rng.choice([-1.0, 1.0], (4, 5, 3, 3)).astype(np.float32),
        "one": np.float32(1),
        "t1": np.zeros((1, 1), np.float32),
    }
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("MultiThreshold", "c t", "q", "mt", out_dtype="UINT2"),
        conv("q w2", "c2", "conv2"),
        node("MultiThreshold", "c2 t1", "b1", "sign", out_dtype="BIPOLAR", out_scale=2.0, out_bias=-1.0),
        conv("b1 w3", "c3", "conv3", size=4),
        node("BipolarQuant", "c3 one", "y", "out"),
    ]
    constants["w3"] = rng.integers(-1, 2, (3, 4, 4, 4)).astype(np.float32)
    graph = assert_equal_to_file(graph_of(nodes, constants), tmp_path)
    assert Network(graph)["conv2"].weight_type == "BIPOLAR"


def test_eight_bit_weights_are_an_integer_layer(tmp_path) -> None:
    constants = base() | {"w": np.random.default_rng(1).integers(-127, 128, (5, 2, 3, 3)).astype(np.float32)}
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, constants), tmp_path))
    assert network["conv"].weight_type == "INT8"
    assert not network["conv"].multiplier_free


def test_eight_bit_weights_down_to_minus_128_are_an_integer_layer(tmp_path) -> None:
    """As a full-range Quant gives them, and as plain floats; the extreme inputs meet the extreme weights."""
    weights = np.random.default_rng(1).integers(-128, 128, (5, 2, 3, 3)).astype(np.float32)
    weights[:2] = -128
    weights[1, :, 0] = 127
    constants = base() | {"w": weights, "one": np.float32(1), "eight": np.float32(8)}
    tail = [node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    quantized = node("Quant", "w one zero eight", "wq", signed=1, narrow=0)
    for signed, head in enumerate(([quantized, conv("xq wq", "c", "conv", pad=1)], [CONV])):
        folder = tmp_path / str(signed)
        proto = graph_of([quant("x", "xq", "qi", "eight", signed), *head, *tail], constants)
        network = Network(assert_equal_to_file(proto, folder))
        assert network["conv"].weight_type == "INT8"
        assert network["conv"].weights.min() == -128
        x = all_vectors(network, 20)
        assert not simulation_link(open_project(folder / "project"), x, layer_values(network, x), "ap").differing


def signs(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).integers(-1, 2, shape)


TERNARY_INTEGERS = {
    "one alpha": (2 * signs(5, 2, 3, 3), "TERNARY", 1),
    "one alpha of 100": (100 * signs(5, 2, 3, 3), "TERNARY", 1),
    "bipolar": (2 * np.where(signs(5, 2, 3, 3) > 0, 1, -1), "BIPOLAR", 1),
    "powers of two": (signs(5, 2, 3, 3) * np.array([1, 2, 4, 8, 16]).reshape(-1, 1, 1, 1), "TERNARY", 5),
    "general": (signs(5, 2, 3, 3) * np.array([1, 3, 0, 7, 1000]).reshape(-1, 1, 1, 1), "TERNARY", 5),
}


@pytest.mark.parametrize("case", TERNARY_INTEGERS)
def test_integers_that_are_ternary_are_multiplier_free(case: str, tmp_path) -> None:
    """α = 2, or one whole α per channel, is no reason for an integer layer."""
    weights, type_, scales = TERNARY_INTEGERS[case]
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | {"w": weights.astype(np.float32)}), tmp_path))
    assert network["conv"].weight_type == type_
    found = weights_of(CONV, Constant(weights.astype(np.float32)))
    assert found.scale.size == scales
    np.testing.assert_array_equal(found.codes * found.scale.reshape(-1, 1, 1, 1), weights)


def test_integers_beyond_eight_signed_bits_are_named() -> None:
    nodes = [quant("x", "xq", "qi"), conv("xq w", "y", "wide")]
    weights = np.arange(90, dtype=np.float32).reshape(5, 2, 3, 3) + 50
    with pytest.raises(HwError, match=r"'wide'.*integers from 50 to 139.*8 signed bits \[weights-not-integers\]"):
        read_qonnx(graph_of(nodes, base() | {"w": weights}))
    unsigned = node("Quant", "w one zero eight", "wq", signed=0, narrow=0)
    nodes = [quant("x", "xq", "qi"), unsigned, conv("xq wq", "y", "wide")]
    constants = base() | {"w": weights, "one": np.float32(1), "eight": np.float32(8)}
    with pytest.raises(HwError, match=r"'wide'.*codes from 50 to 139.*8 signed bits \[weights-not-integers\]"):
        read_qonnx(graph_of(nodes, constants))


def test_ties_within_float32_error_are_listed(tmp_path) -> None:
    """0.1f·5 = 0.5 in float32 and more in float64: another runtime may round the other way, and the file says where."""
    constants = base() | {"w": np.ones((5, 2, 3, 3), np.float32), "q1_s": np.float32(1), "qi_s": np.float32(0.1)}
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    graph = assert_equal_to_file(graph_of(nodes, constants), tmp_path)
    assert '"q1": [0, 1, 2, 3, 4]' in graph.get_metadata_prop("crq.ties")


def _float_execution(proto: ModelProto, folder: Path, count: int = 40) -> FloatExecution:
    onnx.save(proto, folder / "m.onnx")
    network = load_network(folder / "m.onnx")
    x = random_codes(network, count)
    return float_execution(folder / "m.onnx", network, x, layer_values(network, x))


def test_what_a_tie_changes_in_float32_is_counted_and_explained(tmp_path) -> None:
    """The inner Quant's scale is 0.1: sums of 5 are 0.5 in float32 and more in float64."""
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "y", "q1")]
    ones = {"w": np.ones((5, 2, 3, 3), np.float32), "q1_s": np.float32(1), "qi_s": np.float32(0.1)}
    found = _float_execution(graph_of(nodes, base() | ones), tmp_path)
    assert found.differing > 0
    assert found.images_explained == found.images_differing
    exact = _float_execution(graph_of(nodes, base() | ones | {"qi_s": np.float32(0.125)}), tmp_path)
    assert exact.differing == 0


def _with(nodes, shape=(1, 2, 6, 6), **changes):
    return graph_of(nodes, base() | changes, shape=shape)


HEAD = [quant("x", "xq", "qi"), CONV]
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]
CHANNELS_LAST = node("MaxPool", "q", "y", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
CHANNELS_LAST.domain = "qonnx.custom_op.channels_last"
WQ = {"signed": 1, "narrow": 1}
rng = np.random.default_rng(0)
REFUSED = {
    "unsupported-op": _with([*HEAD, node("Sigmoid", "c", "y", "sig")]),
    "not-quantized": _with([*HEAD, node("Mul", "c g", "m"), conv("m w5", "y", size=1)], w5=np.ones((1, 5, 1, 1), "f4")),
    "input-not-quantized": _with([conv("x w", "y")]),
    "input-quantizer": _with([node("BipolarQuant", "x q1_s", "q"), conv("q w", "y")]),
    "pad": _with(
        [quant("x", "xq", "qi"), node("Pad", "xq pp", "xp", mode="reflect"), conv("xp w", "y")], pp=np.ones(8, "i8")
    ),
    "weights-not-integers": _with([*HEAD, node("Identity", "c", "y")], w=rng.normal(size=(5, 2, 3, 3)).astype("f4")),
    "per-channel-activation": _with(
        [*HEAD, quant("c", "q", "q1"), conv("q w5", "y", size=1)],
        q1_s=np.ones((1, 5, 1, 1), "f4"),
        w5=np.ones((1, 5, 1, 1), "f4"),
    ),
    "activation-bits": _with([*HEAD, quant("c", "y", "q1", "nine", 1)], nine=np.float32(9)),
    "zero-point": _with([quant("x", "y", "qi")], zero=np.float32(0.5)),
    "general-scales": _with(
        [*HEAD, quant("c", "a", "q1", signed=1), quant("c", "d", "qi", signed=1), node("Add", "a d", "y", "add")]
    ),
    "spatial-constant": _with([*HEAD, node("Mul", "c m", "y", "mul")], m=np.ones((1, 1, 6, 6), "f4")),
    "ceil-mode": _with([*HEAD, *ACT, node("MaxPool", "q", "y", kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1)]),
    "exclude-pad": _with([*HEAD, *ACT, node("AveragePool", "q", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])]),
    "pool-dilation": _with([*HEAD, *ACT, node("MaxPool", "q", "y", kernel_shape=[2, 2], dilations=[2, 2])]),
    "reshape": _with([*HEAD, *ACT, node("Reshape", "q to", "y")], to=np.array([1, 5, 36])),
    "output": _with([*HEAD, node("Relu", "c", "y")]),
    "channels-last": _with([*HEAD, *ACT, CHANNELS_LAST]),
    "dynamic-parameter": _with([*HEAD, conv("xq c", "y", size=6)]),
    "not-finite": _with([*HEAD, node("Mul", "c m", "y")], m=np.float32(np.inf)),
    "weight-zero-point": _with(
        [quant("x", "xq", "qi"), node("Quant", "w qi_s one bits", "wq", **WQ), conv("xq wq", "y")], one=np.float32(1)
    ),
    "weight-scale": _with(
        [quant("x", "xq", "qi"), node("Quant", "w ws zero bits", "wq", **WQ), conv("xq wq", "y")],
        ws=np.array([1, 2], "f4").reshape(1, 2, 1, 1),
    ),
    "rounding-mode": _with([*HEAD, node("Quant", "c q1_s zero bits", "y", signed=1, rounding_mode="STOCHASTIC")]),
    "too-large": _with([*HEAD, *ACT, node("Flatten", "q", "y")], shape=(1, 2, 2**20, 2**20)),
    "per-feature": _with(
        [quant("x", "xq", "qi"), node("Flatten", "xq", "fl"), node("Mul", "fl pf", "m"), quant("m", "q", "q1")]
        + [node("MatMul", "q f72", "y")],
        pf=np.arange(1, 73).astype("f4"),
        f72=np.ones((72, 2), "f4"),
    ),
    "malformed": _with([*HEAD, conv("xq w", "y", "neg", pads=[-1, 0, 0, 0])]),
}


@pytest.mark.parametrize("slug", REFUSED)
def test_each_documented_refusal(slug: str) -> None:
    with pytest.raises(HwError, match=rf"\[{slug}\]"):
        read_qonnx(REFUSED[slug])


@pytest.mark.parametrize("first", [("BipolarQuant", "x q1_s", {}), ("MultiThreshold", "x t", {"out_dtype": "UINT2"})])
def test_a_threshold_on_the_input_wants_codes(first, tmp_path) -> None:
    """On float inputs it is refused with the way out, which works: an annotated input is thresholded in hardware."""
    op, inputs, attributes = first
    proto = _with([node(op, inputs, "q", "first", **attributes), conv("q w", "y")], t=np.array([[2, 5, 9]], "f4"))
    with pytest.raises(HwError, match=r"'first'.*put a Quant before it.*set_tensor_datatype \[input-quantizer\]"):
        read_qonnx(proto)
    model = ModelWrapper(proto)
    model.set_tensor_datatype("x", DataType["INT5"])
    graph = assert_equal_to_file(model.model, tmp_path)
    assert [n.op_type for n in graph.graph.node] == ["MultiThreshold", "Conv"]


def test_sums_beyond_the_storage_are_refused() -> None:
    nodes = [quant("x", "xq", "qi", "b8"), node("MatMul", "xq wl", "y", "big")]
    constants = base() | {"b8": np.float32(8), "wl": np.full((1000, 1), 127, np.float32)}
    constants["wl"][0] = 126  # not ternary
    with pytest.raises(HwError, match=r"'big'.*\[range\]"):
        read_qonnx(graph_of(nodes, constants, shape=(1, 1000)))


def test_every_refusal_has_its_test() -> None:
    from hw.read.refusals import REFUSALS

    assert set(REFUSALS) == set(REFUSED) | {"range"}


def test_the_document_is_current() -> None:
    from pathlib import Path

    from hw.read.documentation import reading_md

    assert (Path(__file__).parents[2] / "docs" / "reading.md").read_text() == reading_md()
