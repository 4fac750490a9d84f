"""Whether adder graphs shared between the windows of an image pay, where a convolution is unrolled over all pixels:

    python benchmarks/sliding.py

Per layer: the LUTs of one graph per window, as they are built, and of one graph of the whole layer, which may share
the sums of neighbouring windows; by the price of an adder graph for UltraScale+ (hw/cost/graphs.py), random ternary
weights, half of them zero. Adds the rows to sliding.csv.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import append
from crq.hw.cost.graphs import graph_price
from crq.hw.dataflow.unrolled import masks, outside, taps
from crq.hw.graphs import solve
from crq.hw.graphs.layer import layer_stages, window_matrix
from crq.hw.graphs.stages import staged
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, IntArray
from tests.support.random_graphs import GraphBuilder

# (inputs, size, outputs, kernel): the layers of the digits network, and two of one dimension.
LAYERS = ((1, (8, 8), 16, (3, 3)), (16, (4, 4), 16, (3, 3)), (4, (1, 32), 8, (1, 5)), (8, (1, 16), 8, (1, 3)))
HEADER = ("date", "commit", "layer", "weights", "per_window", "whole", "seconds")
STAGES = 2


def layer(inputs: int, size: tuple[int, int], outputs: int, kernel: tuple[int, int]) -> Conv:
    rng = np.random.default_rng(0)
    weights = rng.choice([-1, 0, 1], (outputs, inputs, *kernel), p=[0.25, 0.5, 0.25])
    g = GraphBuilder((inputs, *size), "UINT4")
    pads = (kernel[0] // 2, kernel[1] // 2) * 2
    [conv] = Network(g.finish(g.conv("x", outputs, kernel, pads=pads, weights=weights)))
    assert isinstance(conv, Conv)
    return conv


def whole(conv: Conv) -> IntArray:
    """The matrix (pixels * outputs, pixels * inputs) of all windows."""
    image, own = conv.input.shape, window_matrix(conv)
    channels = image.c
    matrix = np.zeros((conv.output.shape.pixels, len(own), image.pixels, channels), np.int64)
    by_tap = own.reshape(len(own), -1, channels)
    for pixel, window in enumerate(taps(conv)):
        for tap, place in enumerate(window.tolist()):
            if place >= 0:
                matrix[pixel, :, place] = by_tap[:, tap]
    return matrix.reshape(len(matrix) * len(own), -1)


@click.command()
def main() -> None:
    for shape in LAYERS:
        conv = layer(*shape)
        apart = sum(
            count * graph_price(layer_stages(conv, "xcup", STAGES, outside(inside, conv.input.shape.c))).logic
            for inside, count in masks(conv).items()
        )
        matrix, started = whole(conv), time.process_time()
        graph = solve(matrix, [(0, 15)] * matrix.shape[1], levels=8)
        seconds = time.process_time() - started
        together = graph_price(staged(graph, STAGES)).logic
        name = f"{shape[0]} to {shape[2]} channels, {shape[3]} on {shape[1]}"
        ratio = together / apart
        click.echo(f"{name}: {apart:,.0f} LUT per window, {together:,.0f} whole ({ratio:.2f}), {seconds:.0f} s")
        append(Path(__file__).with_name("sliding.csv"), HEADER, name, conv.nonzeros, apart, together, round(seconds))


if __name__ == "__main__":
    main()
