"""The first blocks of timm's MobileNetV2: prepared, quantized, frozen, exported, to C and RTL simulation."""

import sys

import timm
import torch
from torch import Tensor, nn

import crq
from crq import export, hw


class Classifier(nn.Module):
    """The narrowest MobileNetV2 up to its second resolution, the mean over pixels and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = timm.create_model("mobilenetv2_035", features_only=True, out_indices=(1,), in_chans=1)
        self.classifier = nn.Linear(self.features.feature_info.channels()[-1], 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x)[-1].mean((2, 3)))


torch.manual_seed(1)
images = torch.randint(0, 256, (20, 1, 32, 32)) / 256  # in place of a data set; weights are timm's random ones
model = crq.prepare(Classifier(), crq.TernaryConfig(act_bits=4), example_input=images[:2])
crq.quantize(model, [images])  # weights to {-α, 0, α}, activations to 4 bits
frozen = crq.freeze(model, [images])
export.to_qonnx(frozen, "mobilenet.onnx")
expected = frozen(images).numpy()

checks = export.check_file(frozen, "mobilenet.onnx", images)  # the file itself, in onnxruntime and qonnx
wrong = sum(check.different for check in checks if check.claimed)
for check in checks:
    print(f"{check.runtime}: {check.values - check.different} of {check.values} integers equal the frozen network's")
for target in ("hls", "rtl"):
    project = hw.build("mobilenet.onnx", f"mobilenet_{target}", target=target)
    equal = project.simulate(images.numpy()) == expected
    wrong += int((~equal).sum())
    print(f"{target}: {int(equal.sum())} of {equal.size} integers equal the frozen network's")
sys.exit(wrong != 0)
