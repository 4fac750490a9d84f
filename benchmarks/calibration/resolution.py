"""How many bits of codes freeze on sums of which range: the figures behind `crq.convert.resolution`.

    R="python -m benchmarks.calibration.resolution"
    $R --inputs 27 --inputs 64 --inputs 91 --inputs 259 --inputs 784 --inputs 1152 --inputs 2304
    $R --inner --inputs 128 --inputs 182 --inputs 256 --inputs 512 --inputs 784 --inputs 1152 --inputs 2304
    $R --functions --inputs 1 --inputs 3 --inputs 9 --inputs 27 --bits 4 --bits 5 --bits 6
    $R --functions --ternary --inputs 9 --inputs 27 --inputs 147 --inputs 784 --bits 4 --bits 7 --bits 8

Layers of random 8-bit weights on bytes, 256 channels each, behind them a batch norm and codes whose range holds three
deviations; with `--inner` on codes of 8 bits behind a ReLU. Prints, by the number of inputs, bits and function, how
many of 4 layers freeze in every channel; appends to resolution.csv.
"""

from __future__ import annotations

import math
from pathlib import Path

import click
import numpy as np

from benchmarks.history import append
from crq.convert.activations import Activation
from crq.convert.thresholds import Chain, QuantSpec, fit
from crq.errors import CrqError

HEADER = (
    "date", "commit", "weights", "channels", "reads", "inputs", "log2 largest sum", "function", "bits", "layers",
    "freeze",
)  # fmt: skip
CHANNELS, LAYERS = 256, 4
READS = {"bytes": (127.5, 74.0), "ReLU": (34.0, 50.0)}
"""Mean and deviation of what a layer reads, from 0 to 255."""
FUNCTIONS = {
    "ReLU": None, "LeakyReLU": Activation("LeakyRelu", (0.01,)), "none": None, "Sigmoid": Activation("Sigmoid"),
    "Tanh": Activation("Tanh"), "SiLU": Activation("Swish"), "ELU": Activation("Elu", (1.0,)),
    "Softplus": Activation("Softplus"), "Softsign": Activation("Softsign"),
    "HardSigmoid": Activation("HardSigmoid", (1 / 6, 0.5)),
}  # fmt: skip
ONE_OPERATION = ("ReLU", "LeakyReLU", "none")


def layer(seed: int, reads: str, inputs: int, top: int, function: str, bits: int) -> bool:
    """Whether all channels of a random layer with weights up to ±`top` freeze."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-top, top + 1, (CHANNELS, inputs))
    lo, hi = 255 * np.minimum(weights, 0).sum(1), 255 * np.maximum(weights, 0).sum(1)
    mean, spread = READS[reads]
    deviation = math.sqrt((weights**2).mean() * inputs) * spread
    gain = rng.normal(1, 0.2, CHANNELS).astype(np.float32)
    alpha = np.float32(1 / deviation)
    bias = (rng.normal(0, 0.3, CHANNELS) - gain * alpha * mean * weights.sum(1)).astype(np.float32)
    signed = function not in ("ReLU", "Sigmoid", "Softplus", "HardSigmoid")
    reach = {"Sigmoid": 1.0, "HardSigmoid": 1.0, "Tanh": 1.0, "Softsign": 1.0}.get(function, 3.0)
    scale = 2.0 ** math.ceil(math.log2(reach / 2 ** (bits - signed)))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    chain = Chain(1.0, QuantSpec(scale, low, high), CHANNELS, 1, alpha, gain, bias, FUNCTIONS[function])
    try:
        fit(chain, lo.astype(np.int64), hi.astype(np.int64), "layer")
    except CrqError:
        return False
    return True


@click.command(help=__doc__)
@click.option("--inputs", "sizes", multiple=True, type=int, default=(27, 64, 147, 256, 784, 2304), show_default=True)
@click.option("--bits", "widths", multiple=True, type=int, default=(4, 5, 6, 7, 8), show_default=True)
@click.option("--functions", is_flag=True, help="Those that machines round differently.")
@click.option("--ternary", is_flag=True, help="Ternary weights in place of those of 8 bits.")
@click.option("--inner", is_flag=True, help="Behind a ReLU in place of the network's input.")
def main(sizes: tuple[int, ...], widths: tuple[int, ...], functions: bool, ternary: bool, inner: bool) -> None:
    top, reads = 1 if ternary else 127, "ReLU" if inner else "bytes"
    for inputs in sizes:
        reach = math.log2(255 * top * inputs)
        for function in [*FUNCTIONS][len(ONE_OPERATION) :] if functions else ONE_OPERATION:
            found = {bits: sum(layer(s, reads, inputs, top, function, bits) for s in range(LAYERS)) for bits in widths}
            shown = "  ".join(f"{bits} bits {count}/{LAYERS}" for bits, count in found.items())
            click.echo(f"{inputs:>6} inputs  2^{reach:.1f}  {function:<10} {shown}")
            for bits, count in found.items():
                values = (2 if ternary else 8, CHANNELS, reads, inputs, f"{reach:.1f}", function, bits, LAYERS, count)
                append(Path(__file__).with_suffix(".csv"), HEADER, *values)


if __name__ == "__main__":
    main()
