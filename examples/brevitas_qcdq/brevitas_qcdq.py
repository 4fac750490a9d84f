"""A small Brevitas network with ternary weights: exported as QCDQ, to C and RTL simulation."""

import sys

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.core.restrict_val import RestrictValueType
from brevitas.export import export_onnx_qcdq
from brevitas.quant import Uint8ActPerTensorFloat
from brevitas.quant.ternary import SignedTernaryWeightPerTensorConst
from torch import nn

from crq import hw

torch.manual_seed(1)
power_of_two = {"restrict_scaling_type": RestrictValueType.POWER_OF_TWO}
ternary = {"weight_quant": SignedTernaryWeightPerTensorConst, "weight_bit_width": 2, "bias": False}
network = nn.Sequential(
    qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=8, **power_of_two),
    qnn.QuantConv2d(2, 6, 3, padding=1, **ternary), nn.BatchNorm2d(6), qnn.QuantReLU(bit_width=4, **power_of_two),
    nn.MaxPool2d(2),
    qnn.QuantConv2d(6, 8, 3, **ternary), nn.BatchNorm2d(8), qnn.QuantReLU(bit_width=4, **power_of_two),
    nn.Flatten(), qnn.QuantLinear(32, 4, **ternary),
)  # fmt: skip
for _ in range(20):  # finds the scales of the activations and the statistics of the batch norms
    network(torch.rand(16, 2, 8, 8))
network.eval()
export_onnx_qcdq(network, torch.rand(1, 2, 8, 8), "brevitas_qcdq.onnx", opset_version=18)

images = torch.rand(40, 2, 8, 8)
expected = network(images).detach().numpy()

wrong = 0
for target in ("hls", "rtl"):
    project = hw.build("brevitas_qcdq.onnx", f"brevitas_qcdq_{target}", target=target)
    found = project.integers(images.numpy(), quantize=True)
    wanted = np.rint(expected / project.network.scores[0].scale)
    wrong += int((found != wanted).sum())
    print(f"{target}: {int((found == wanted).sum())} of {found.size} integers equal Brevitas's")
sys.exit(wrong != 0)
