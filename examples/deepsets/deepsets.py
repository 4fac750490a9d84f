"""A network of sets of points, in any order: torch's QDQ file, to C and RTL simulation."""

import sys

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from crq import hw


class Codes(nn.Module):
    """Rounds to a byte per value, which torch.onnx writes as QuantizeLinear and DequantizeLinear."""

    def __init__(self, scale: float, signed: bool = False) -> None:
        super().__init__()
        self.scale, self.ends = scale, (-128, 127) if signed else (0, 255)

    def forward(self, x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(x, self.scale, 0, *self.ends)


def ternary(layer: nn.Module) -> nn.Module:
    """With weights -1/4, 0 and 1/4: stored as floats, read as ternary."""
    layer.weight.data = torch.randint(-1, 2, layer.weight.shape) / 4
    return layer


def linear(inputs: int, outputs: int) -> nn.Module:
    return ternary(nn.Linear(inputs, outputs, bias=False))


class DeepSets(nn.Module):
    """Of (N, points, features): layers shared by the points, the maximum over them, layers for the set."""

    def __init__(self) -> None:
        super().__init__()
        self.of_points = nn.Sequential(
            Codes(1 / 64, signed=True),
            linear(3, 12),
            nn.ReLU(),
            Codes(1 / 64),
            linear(12, 16),
            nn.ReLU(),
            Codes(1 / 64),
        )
        self.of_set = nn.Sequential(linear(16, 12), nn.ReLU(), Codes(1 / 64), linear(12, 4))

    def forward(self, points: Tensor) -> Tensor:
        return self.of_set(self.of_points(points).amax(1))


torch.manual_seed(1)
network = DeepSets().eval()
torch.onnx.export(network, (torch.zeros(1, 10, 3),), "deepsets.onnx", opset_version=13, dynamo=False,
                  input_names=["points"], output_names=["scores"], dynamic_axes={"points": {0: "N"}})  # fmt: skip

points = torch.randint(-128, 128, (40, 10, 3)) / 64
expected = network(points).detach().numpy()
shuffled = network(points[:, torch.randperm(10)]).detach().numpy()
options = onnxruntime.SessionOptions()  # optimizations fuse operators into others, which round differently
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession("deepsets.onnx", options, providers=["CPUExecutionProvider"])
(runtime,) = session.run(None, {"points": points.numpy()})

# Scales are powers of two and sums are small: float32 is exact, and equal floats are equal integers.
results = {"onnxruntime": runtime, "points in another order": shuffled}
for target in ("hls", "rtl"):
    project = hw.build("deepsets.onnx", f"deepsets_{target}", target=target)
    results[target] = project.simulate(points.numpy())
for name, found in results.items():
    print(f"{name}: {int((found == expected).sum())} of {expected.size} integers equal torch's")
sys.exit(not all(np.array_equal(found, expected) for found in results.values()))
