"""Files as other tools write them: torch's exporter with Brevitas' quantizers, as in qonnx's model zoo; qonnx's tools.

Made anew from a seed, so that no test needs a file from elsewhere.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.batchnorm_to_affine import BatchNormToAffine
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model
from torch import Tensor, nn

GENERAL, BREVITAS = "qonnx.custom_op.general", "onnx.brevitas"


class Perceptron(nn.Module):
    """Of inputs ±1, which it moves to 0 and 1: the zoo's network of network intrusions, smaller."""

    shape = (60,)

    def __init__(self) -> None:
        super().__init__()
        blocks = [[nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU()] for i, o in ((60, 16), (16, 16), (16, 16))]
        self.pretrained = nn.Sequential(*(layer for block in blocks for layer in block), nn.Linear(16, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.pretrained((x + 1) / 2)


class Convolutions(nn.Module):
    """Convolutions with and without groups, a maximum, a mean and a classifier."""

    shape = (3, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
            nn.Conv2d(6, 8, 1), nn.BatchNorm2d(8), nn.ReLU(),
        )  # fmt: skip
        self.classifier = nn.Linear(8 * 16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


def exported(network: type[nn.Module], seed: int = 0, opset: int = 14) -> ModelProto:
    """`network` with weights and statistics at random, as torch writes it: constants are inputs too."""
    torch.manual_seed(seed)
    net = network()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean):
                assert isinstance(values, Tensor)
                nn.init.normal_(values)
            assert isinstance(module.running_var, Tensor)
            nn.init.uniform_(module.running_var, 0.5, 2)
    buffer, x = io.BytesIO(), torch.zeros(1, *network.shape)  # type: ignore[arg-type]
    options = {"training": torch.onnx.TrainingMode.PRESERVE, "dynamo": False, "keep_initializers_as_inputs": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), (x,), buffer, opset_version=opset, **options)  # type: ignore[arg-type]
    return onnx.load_model_from_string(buffer.getvalue())


def with_quantizers(model: ModelProto, domain: str, bits: int = 2) -> ModelProto:
    """Quant on weights and behind every ReLU. The input is annotated ±1, or has a Quant where it is an image."""
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    given = next(i for i in model.graph.input if i.name not in constants)
    nodes = list(model.graph.node)
    del model.graph.node[:]

    def quant(x: str, y: str, scale: float, width: int, signed: int) -> NodeProto:
        names = [f"{y}/scale", f"{y}/zero", f"{y}/bits"]
        for name, value in zip(names, (scale, 0.0, float(width)), strict=True):
            model.graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
        attributes = {"signed": signed, "narrow": signed, "rounding_mode": "ROUND"}
        return helper.make_node("Quant", [x, *names], [y], f"{y}/Quant", domain=domain, **attributes)

    image = len(given.type.tensor_type.shape.dim) == 4
    if image:
        model.graph.node.append(quant(given.name, "input/Quant", 1 / 32, 6, 1))
    for node in nodes:
        if image:
            node.input[:] = ["input/Quant" if name == given.name else name for name in node.input]
        if node.op_type in ("Conv", "Gemm"):
            scale = float(np.abs(constants[node.input[1]]).mean()) * 2
            model.graph.node.append(quant(node.input[1], f"{node.input[1]}/Quant", scale, 2, 1))
            node.input[1] = f"{node.input[1]}/Quant"
        result = node.output[0]
        if node.op_type == "Relu":
            node.output[0] = f"{result}/Relu"
        model.graph.node.append(node)
        if node.op_type == "Relu":
            model.graph.node.append(quant(node.output[0], result, 0.3, bits, 0))
    model.opset_import.append(helper.make_opsetid(domain, 1))
    if not image:
        wrapper = ModelWrapper(model)
        wrapper.set_tensor_datatype(given.name, DataType["BIPOLAR"])
        return _bipolar_end(wrapper.model, domain)
    return model


def _bipolar_end(model: ModelProto, domain: str) -> ModelProto:
    last = next(n for n in model.graph.node if model.graph.output[0].name in n.output)
    result, last.output[0] = last.output[0], f"{last.output[0]}/float"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(1), "end/scale"))
    model.graph.node.append(
        helper.make_node("BipolarQuant", [last.output[0], "end/scale"], [result], "/end/BipolarQuant", domain=domain)
    )
    return model


def _tool(*steps: Callable[[ModelWrapper], ModelWrapper]) -> Callable[[], ModelProto]:
    def make() -> ModelProto:
        model = ModelWrapper(with_quantizers(exported(Convolutions), GENERAL, 4))
        for step in (cleanup_model, *steps):
            model = step(model)
        return model.model

    return make


FOREIGN: dict[str, Callable[[], ModelProto]] = {
    "zoo's perceptron": lambda: with_quantizers(exported(Perceptron), BREVITAS),
    "torch and Brevitas": lambda: with_quantizers(exported(Convolutions), BREVITAS, 4),
    "torch, opset 11": lambda: with_quantizers(exported(Convolutions, 1, 11), BREVITAS, 3),
    "qonnx-cleanup": _tool(),
    "batch norms as scales and shifts": _tool(lambda m: m.transform(InferShapes()).transform(BatchNormToAffine())),
    "products as MatMul": _tool(lambda m: m.transform(InferShapes()).transform(GemmToMatMul())),
    "qonnx-to-channels-last": _tool(lambda m: m.transform(InferShapes()).transform(ConvertToChannelsLastAndClean())),
}
"""By tool: what makes its file."""
