"""An autoencoder that grows again by nearest upsampling: torch's QDQ file, to C and RTL simulation."""

import sys

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from crq import hw


class Codes(nn.Module):
    """Rounds to a byte per value, which torch.onnx writes as QuantizeLinear and DequantizeLinear."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(x, self.scale, 0, 0, 255)


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A convolution whose weights are -1/4, 0 and 1/4: stored as floats, read as ternary."""
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    layer.weight.data = torch.randint(-1, 2, layer.weight.shape) / 4
    return layer


torch.manual_seed(6)
encoder = nn.Sequential(
    Codes(1 / 256), conv(1, 4, stride=2), nn.ReLU(), Codes(1 / 256), conv(4, 6, stride=2), nn.ReLU(), Codes(1 / 256)
)
decoder = nn.Sequential(
    nn.Upsample(scale_factor=2), conv(6, 4), nn.ReLU(), Codes(1 / 256),
    nn.Upsample(scale_factor=2), conv(4, 1), Codes(1 / 256),
)  # fmt: skip
network = nn.Sequential(encoder, decoder).eval()
torch.onnx.export(network, (torch.zeros(1, 1, 12, 12),), "autoencoder.onnx", opset_version=13, dynamo=False,
                  input_names=["image"], output_names=["again"], dynamic_axes={"image": {0: "N"}})  # fmt: skip

images = torch.randint(0, 256, (20, 1, 12, 12)) / 256
expected = network(images).detach().numpy()
options = onnxruntime.SessionOptions()  # optimizations fuse operators into others, which round differently
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession("autoencoder.onnx", options, providers=["CPUExecutionProvider"])
(runtime,) = session.run(None, {"image": images.numpy()})

# Scales are powers of two and sums are small: float32 is exact, and equal floats are equal integers.
results = {"onnxruntime": runtime}
for target in ("hls", "rtl"):
    project = hw.build("autoencoder.onnx", f"autoencoder_{target}", target=target)
    results[target] = project.simulate(images.numpy())
for name, found in results.items():
    print(f"{name}: {int((found == expected).sum())} of {expected.size} integers equal torch's")
sys.exit(not all(np.array_equal(found, expected) for found in results.values()))
