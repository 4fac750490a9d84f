"""Everything `crq.hw.read` refuses, in one place: docs/reading.md is generated from this table."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from onnx import NodeProto

from crq.hw.errors import HwError


class Refusal(NamedTuple):
    """Why something cannot be read exactly, and the way out."""

    reason: str
    remedy: str


REFUSALS: dict[str, Refusal] = {
    "unsupported-op": Refusal(
        "the operator has no exact integer form here",
        "docs/reading.md lists the operators that have one; take this one out, or compute it on the host",
    ),
    "not-quantized": Refusal(
        "a convolution, matrix product, pool, addition or concatenation reads values that are no integer codes",
        "put a Quant (or BipolarQuant, MultiThreshold) before it",
    ),
    "input-not-quantized": Refusal(
        "the network's input reaches a layer without a Quant and has no integer type annotation",
        "quantize the input, or annotate it with qonnx's set_tensor_datatype",
    ),
    "input-quantizer": Refusal(
        "reads the network's input, which is then no tensor of integer codes: BipolarQuant and MultiThreshold would "
        "have to run on floats",
        "put a Quant before it, whose codes the host feeds, or annotate the input as integers with qonnx's "
        "set_tensor_datatype",
    ),
    "channels-last": Refusal(
        "tensors of one layout meet an operator of the other, or the result is channels last",
        "transpose between the layouts explicitly, or write the file channels first",
    ),
    "dynamic-parameter": Refusal("a scale, bias or other parameter is computed from data", "make it a constant"),
    "weights-not-integers": Refusal(
        "the weights are neither {-α, 0, +α} per output channel nor signed integers of at most 8 bits",
        "train the layer ternary, or quantize it to at most 8 signed bits",
    ),
    "weight-zero-point": Refusal("the weights' Quant has a non-zero zero point", "quantize weights symmetrically"),
    "weight-scale": Refusal(
        "the weight scale varies along an input axis", "use one scale per tensor or per output channel"
    ),
    "per-channel-activation": Refusal(
        "activations with one scale per channel meet something that is neither a depthwise convolution nor a pool",
        "use one scale per tensor for activations",
    ),
    "activation-bits": Refusal(
        "a Quant has a fractional width, or more bits than are read: 16 of an activation, 32 of a constant",
        "use 1 to 16 bits",
    ),
    "activation": Refusal(
        "an activation function with a negative slope or parameter, or a power that is no whole one",
        "use one that never falls, or one with a single valley such as Hardswish, SiLU or GELU",
    ),
    "turning": Refusal(
        "the codes of an activation that rises and falls with its sum turn more than once, or are too many to evaluate",
        "quantize right behind the activation, with fewer bits, or use one that never falls, such as ReLU",
    ),
    "too-many-steps": Refusal(
        "a MultiThreshold of more than 4095 steps (12 bits): every step is a comparator or a word of memory",
        "quantize to at most 12 bits",
    ),
    "progression": Refusal(
        "a Quant of more than 12 bits whose thresholds are no arithmetic progression in some channel: a table of them "
        "would have more than 4,095 entries per channel",
        "use at most 12 bits; with more, nothing but scales, biases, batch norm, ReLU and Clip between the sum and its "
        "Quant, and for ROUND a gain that is no short fraction, such as 3/4, or is a power of two; FLOOR takes any",
    ),
    "qoperator": Refusal(
        "the file is quantized with operators on integers, or dynamically, so that its scales depend on the image",
        "quantize it as QDQ: onnxruntime.quantization.quantize_static(…, quant_format=QuantFormat.QDQ); from Brevitas "
        "export_qonnx or export_onnx_qcdq",
    ),
    "between-linear": Refusal(
        "an operator reads integers between a QuantizeLinear and its DequantizeLinear, or integers that are no such",
        "keep nothing but a Clip between the two, with one scale and zero point: QDQ as onnxruntime's quantize_static "
        "(QuantFormat.QDQ), torch or Brevitas (export_onnx_qcdq) write it",
    ),
    "zero-point": Refusal("the zero point is no integer", "use an integer zero point"),
    "rounding-mode": Refusal(
        "the rounding mode is unknown, or it is another than ROUND for the network's input, which the host rounds",
        "use ROUND; behind a layer CEIL, FLOOR and ROUND_TO_ZERO are exact too",
    ),
    "general-scales": Refusal(
        "the operands' scales differ by a factor that is no power of two", "share one quantizer among the operands"
    ),
    "spatial-constant": Refusal("a constant varies over pixels", "use scalar or per-channel constants"),
    "ceil-mode": Refusal("ceil_mode pads by data-dependent amounts", "use ceil_mode=0 and explicit padding"),
    "exclude-pad": Refusal(
        "a padded average pool with count_include_pad=0 divides by different sizes", "use count_include_pad=1"
    ),
    "pad": Refusal(
        "a Pad that is not of zeros, or that stands where zero is no value of its own",
        "pad with constant 0, after a Quant or right before the first one",
    ),
    "pool-dilation": Refusal("a dilated pool", "use dilation 1"),
    "resize": Refusal(
        "a Resize or Upsample that interpolates, or whose pixels are not copied equally often",
        "use mode nearest and whole factors (torch: nn.Upsample(scale_factor=2, mode='nearest')), or a ConvTranspose",
    ),
    "reshape": Refusal(
        "a tensor is read whose elements were moved otherwise than by flattening, slicing, or reordering channels",
        "keep pixels in their order; flatten with Flatten(axis=1) before the classifier",
    ),
    "no-vector": Refusal(
        "a matrix product mixes the positions of a tensor of channels",
        "flatten it first; features that points share are the last axis of the input, (N, points, features), or are "
        "made so by a transposition",
    ),
    "per-feature": Refusal(
        "many features of a flattened image have parameters of their own, or are joined with other values",
        "flatten right before the layer, or pool the image first",
    ),
    "head": Refusal(
        "a Softmax, ArgMax or TopK at the end that is not along the classes",
        "apply it along axis 1, the classes', or leave it to the host",
    ),
    "output": Refusal(
        "the network ends in something other than an affine function of integers or a quantizer",
        "end it with the last layer's scores, or those and a Softmax, ArgMax, TopK, Sigmoid, Tanh or Relu for the host",
    ),
    "argmax": Refusal(
        "the class was asked for (argmax), and the scores do not compare as their integers do",
        "build without argmax, whose place the host takes; or give the last layer one positive scale for all classes, "
        "and biases that are whole numbers of it, as crq export writes them",
    ),
    "several": Refusal("no layer reads this input of several", "take it out of the file's inputs"),
    "range": Refusal(
        "integers beyond 2^53 leave the range in which the integer graph's sums are exact", "reduce fan-in, or bits"
    ),
    "too-large": Refusal("a tensor larger than any FPGA design holds", "check the shapes in the file"),
    "not-finite": Refusal("a constant is infinite or NaN", "check the training of that layer"),
    "integer-graph": Refusal(
        "the file is an integer graph that crq made, not a file that one is made of",
        "give the file it was made from; from Python, a graph in memory goes to hw.build as a ModelWrapper",
    ),
    "external": Refusal(
        "a tensor keeps its data in another file that is not beside this one, or not as it says",
        "put both files into one folder, or write one file: onnx.save(onnx.load(old), new)",
    ),
    "malformed": Refusal(
        "the file contradicts itself or the ONNX specification", "write it again with the tool it is from"
    ),
}


def refuse(slug: str, node: NodeProto | str, detail: str = "") -> NoReturn:
    """Raise `HwError` naming the node, its operator, the reason and the way out."""
    reason, remedy = REFUSALS[slug]
    where = node if isinstance(node, str) else f"node {node.name or ''.join(node.output[:1])!r} ({node.op_type})"
    raise HwError(f"{where}: {detail or reason}; {remedy} [{slug}]")
