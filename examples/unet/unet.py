"""A small U-Net, whose skip waits while the deep path shrinks and grows: torch's QDQ file, to C and RTL simulation."""

import sys

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from crq import hw


class Codes(nn.Module):
    """Rounds to a byte per value, which torch.onnx writes as QuantizeLinear and DequantizeLinear."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(x, 1 / 256, 0, 0, 255)


def ternary(layer: nn.Module) -> nn.Module:
    """With weights -1/4, 0 and 1/4: stored as floats, read as ternary."""
    layer.weight.data = torch.randint(-1, 2, layer.weight.shape) / 4
    return layer


def block(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(ternary(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)), nn.ReLU(), Codes())


class UNet(nn.Module):
    """Two levels: the deep one is half as wide and high, and a transposed convolution brings it back."""

    def __init__(self) -> None:
        super().__init__()
        self.codes, self.down, self.deep, self.last = Codes(), block(2, 4), block(4, 8), block(8, 4)
        self.up = nn.Sequential(ternary(nn.ConvTranspose2d(8, 4, 2, stride=2, bias=False)), nn.ReLU(), Codes())
        self.classes = ternary(nn.Conv2d(4, 3, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        skip = self.down(self.codes(x))
        grown = self.up(self.deep(nn.functional.max_pool2d(skip, 2)))
        return self.classes(self.last(torch.cat([grown, skip], 1)))


torch.manual_seed(1)
network = UNet().eval()
torch.onnx.export(network, (torch.zeros(1, 2, 8, 8),), "unet.onnx", opset_version=13, dynamo=False,
                  input_names=["image"], output_names=["classes"], dynamic_axes={"image": {0: "N"}})  # fmt: skip

images = torch.randint(0, 256, (20, 2, 8, 8)) / 256
expected = network(images).detach().numpy()
options = onnxruntime.SessionOptions()  # optimizations fuse operators into others, which round differently
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession("unet.onnx", options, providers=["CPUExecutionProvider"])
(runtime,) = session.run(None, {"image": images.numpy()})

# Scales are powers of two and sums are small: float32 is exact, and equal floats are equal integers.
results = {"onnxruntime": runtime}
for target in ("hls", "rtl"):
    project = hw.build("unet.onnx", f"unet_{target}", target=target)
    results[target] = project.simulate(images.numpy())
for name, found in results.items():
    print(f"{name}: {int((found == expected).sum())} of {expected.size} integers equal torch's")
sys.exit(not all(np.array_equal(found, expected) for found in results.values()))
