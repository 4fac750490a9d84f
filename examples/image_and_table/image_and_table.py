"""An image and a table of sensor values in one network, trained with ternary weights: to C and RTL simulation."""

import sys

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.core.restrict_val import RestrictValueType
from brevitas.export import export_qonnx
from brevitas.quant import Int8ActPerTensorFloat, Uint8ActPerTensorFloat
from brevitas.quant.ternary import SignedTernaryWeightPerTensorConst
from torch import Tensor, nn

from crq import hw

SIDE, VALUES, CLASSES = 8, 6, 4
STEPS = 300
power_of_two = {"restrict_scaling_type": RestrictValueType.POWER_OF_TWO}
ternary = {"weight_quant": SignedTernaryWeightPerTensorConst, "weight_bit_width": 2, "bias": False}


class Net(nn.Module):
    """Class scores of an image (N, 1, 8, 8) and a row of values (N, 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.image_codes = qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=8, **power_of_two)
        self.table_codes = qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat, bit_width=6, **power_of_two)
        self.seen = nn.Sequential(
            qnn.QuantConv2d(1, 8, 3, padding=1, **ternary), nn.BatchNorm2d(8),
            qnn.QuantReLU(bit_width=4, **power_of_two), nn.MaxPool2d(2),
            qnn.QuantConv2d(8, 8, 4, **ternary), nn.BatchNorm2d(8), nn.Flatten(),
        )  # fmt: skip
        self.felt = nn.Sequential(qnn.QuantLinear(VALUES, 8, **ternary), nn.BatchNorm1d(8))
        self.codes = qnn.QuantReLU(bit_width=4, **power_of_two)  # of both, which are joined: one scale
        self.scores = nn.Sequential(
            qnn.QuantLinear(16, 16, **ternary), nn.BatchNorm1d(16), qnn.QuantReLU(bit_width=4, **power_of_two),
            qnn.QuantLinear(16, CLASSES, **ternary),
        )  # fmt: skip

    def forward(self, image: Tensor, table: Tensor) -> Tensor:
        seen, felt = self.seen(self.image_codes(image)), self.felt(self.table_codes(table))
        return self.scores(torch.cat([self.codes(seen), self.codes(felt)], dim=1))


def samples(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which half of the image is bright, and the sign of a sum of values: two bits, one from each input."""
    images, tables = torch.rand(count, 1, SIDE, SIDE) * 0.5, torch.randn(count, VALUES).clamp(-3, 3)
    left = torch.rand(count) < 0.5
    images[left, :, :, : SIDE // 2] += 0.4
    images[~left, :, :, SIDE // 2 :] += 0.4
    return images, tables, 2 * left.long() + (tables[:, :3].sum(1) > tables[:, 3:].sum(1)).long()


torch.manual_seed(1)
network = Net()
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
for _ in range(STEPS):
    images, tables, labels = samples(64)
    loss = nn.functional.cross_entropy(network(images, tables), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
network.eval()
images, tables, labels = samples(200)
with torch.no_grad():
    expected = network(images, tables)
print(f"trained: {(expected.argmax(1) == labels).float().mean():.1%} of {len(labels)} samples right")
export_qonnx(network, args=(images[:1], tables[:1]), export_path="image_and_table.onnx", input_names=["image", "table"])

wrong, few = 0, 40
for target in ("hls", "rtl"):
    project = hw.build("image_and_table.onnx", f"image_and_table_{target}", target=target)
    found = project.integers((images[:few].numpy(), tables[:few].numpy()), quantize=True)
    wanted = np.rint(expected[:few].numpy() / project.network.scores[0].scale)
    wrong += int((found != wanted).sum())
    print(f"{target}: {int((found == wanted).sum())} of {found.size} integers equal Brevitas's")
sys.exit(wrong != 0)
