"""A multilayer perceptron of the size that jet tagging is published with, 16-64-32-32-5, at one sample per cycle:

    python benchmarks/mlp.py [--epochs 60] [--act-bits 4] [--levels 3] [--family xcup]

Trained weights on real data: scikit-learn's 8x8 digits, averaged to 4x4 = 16 inputs of eight bits, the classes 0 to 4.
The jet data are not part of crq, so LUTs and latency stand beside published designs and the accuracy does not. All
samples of the test set pass the HLS project's C simulation and, as SystemVerilog, Verilator; both must equal PyTorch.
The whole network is synthesised with Yosys. Adds a row to mlp.csv.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

import crq
from benchmarks.history import append
from crq import export, hw
from crq.hw.cost.network import estimate
from crq.hw.dataflow.units import units
from crq.hw.dataflow.unrolled import fold
from crq.hw.ir.layers import Mac
from crq.hw.rtl.measure import default_cache
from crq.hw.rtl.parallel import generate_parallel
from crq.hw.rtl.synth import synthesize, tool
from crq.hw.rtl.verilator import run_parallel
from crq.train import data

HEADER = ("date", "commit", "synthesis", "family", "act_bits", "levels", "zeros", "float", "frozen", "lut", "ff",
          "cycles", "lut_estimated", "ff_estimated")  # fmt: skip
CLASSES = 5


def samples(part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 16) values byte / 256, and labels."""
    found = data.load(f"digits:{part}")
    kept = found.labels < CLASSES
    pooled = nn.functional.avg_pool2d(found.images[kept].float(), 2).round()
    return pooled.flatten(1) / 256, found.labels[kept]


def network() -> nn.Sequential:
    sizes = (16, 64, 32, 32)
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], CLASSES))


def fit(model: nn.Module, epochs: int, rate: float) -> None:
    x, y = samples("train")
    optimizer = torch.optim.AdamW(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()


def accuracy(model: nn.Module) -> float:
    x, y = samples("test")
    with torch.no_grad():
        return float((model.eval()(x).argmax(1) == y).float().mean())


def trained(epochs: int, act_bits: int) -> tuple[nn.Module, float]:
    """(frozen model, accuracy of the float parent)."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # layers this small are slower on several
    net = network()
    fit(net, epochs, 0.01)
    parent = accuracy(net)
    model = crq.prepare(net, crq.TernaryConfig(act_bits=act_bits, method="ste"))
    batches = [(x, y) for x, y in zip(*(t.split(64) for t in samples("train")), strict=True)]
    crq.quantize(model, batches)
    fit(model, 2 * epochs, 0.005)
    return crq.freeze(model, batches), parent


@click.command()
@click.option("--epochs", default=60, show_default=True)
@click.option("--act-bits", default=4, show_default=True)
@click.option("--levels", default=3, show_default=True, help="Of a tree of two-input adders, between two registers.")
@click.option("--family", type=click.Choice(["xcup", "xc7", "ecp5"]), default="xcup", show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=default_cache, help="Folder of earlier syntheses.")
def main(epochs: int, act_bits: int, levels: int, family: str, cache: Path) -> None:
    deploy, parent = trained(epochs, act_bits)
    x, _ = samples("test")
    with torch.no_grad():
        expected = deploy(x).numpy()
    with tempfile.TemporaryDirectory() as folder:
        export.to_qonnx(deploy, f"{folder}/mlp.onnx")
        project = hw.build(f"{folder}/mlp.onnx", f"{folder}/hls", io_type="io_parallel", part="xcvu9p-flga2104-2L-e")
        for mode in ("fast", "ap"):
            assert np.array_equal(project.simulate(x.numpy(), mode=mode), expected), mode
        net = project.network
        codes = (x.numpy() * 256).round().astype(np.int64).reshape(-1, *net.inputs[0].shape)
        integers = project.integers(codes, layout="NCHW").reshape(len(codes), -1)
        design = generate_parallel(net, family, levels)
        run = run_parallel(net, design, Path(folder) / "rtl", codes)
        assert np.array_equal(run.values.reshape(len(codes), -1), integers), "Verilator"
    total = synthesize(design, family, cache=cache).total()
    price = estimate(net, {u.name: fold(u)._replace(levels=levels) for u in units(net)}, family, "io_parallel").total
    weights = [layer.weights for layer in net if isinstance(layer, Mac)]
    zeros = np.mean([(w == 0).mean() for w in weights])
    frozen, cycles = accuracy(deploy), int(run.cycles[0])
    click.echo(
        f"accuracy {parent:.2%} in float, {frozen:.2%} ternary with {act_bits}-bit activations; {zeros:.0%} zeros"
    )
    click.echo(f"{len(x)} samples exact in C simulation (fast, ap) and Verilator; latency {cycles} cycles, interval 1")
    click.echo(f"{tool()}, {family}: {total.lut} LUT (estimated {price.lut}, {price.lut / total.lut - 1:+.1%}), "
               f"{total.ff} FF (estimated {price.ff}, {price.ff / total.ff - 1:+.1%})")  # fmt: skip
    append(Path(__file__).with_name("mlp.csv"), HEADER, tool(), family, act_bits, levels, round(float(zeros), 3),
           round(parent, 4), round(frozen, 4), total.lut, total.ff, cycles, price.lut, price.ff)  # fmt: skip


if __name__ == "__main__":
    main()
