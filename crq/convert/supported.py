"""The module kinds a network may be made of."""

from __future__ import annotations

import operator

from torch import fx, nn

from crq.convert.activations import ACTIVATIONS
from crq.convert.channels import Channels
from crq.convert.pixels import Pixels, Row
from crq.convert.scaled import Scaled
from crq.convert.transposed import Transposed
from crq.errors import CrqError

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d)
MACS = (nn.Conv1d, nn.Conv2d, *TRANSPOSED, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
RELUS = (nn.ReLU, nn.ReLU6)
NONLINEAR: tuple[type[nn.Module], ...] = (*RELUS, *ACTIVATIONS)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d)
AVG_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
ADAPTIVE = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)
PADS = (nn.ZeroPad1d, nn.ZeroPad2d)
UPSAMPLES = (nn.Upsample, nn.UpsamplingNearest2d)
SHUFFLES = (nn.PixelShuffle, nn.PixelUnshuffle)
MOVES = (Channels, Pixels, Row, *PADS, *UPSAMPLES, *SHUFFLES)
"""What moves elements, repeats them or puts zeros between them, but a flattening."""
SUMS = (operator.add, operator.sub)
"""Functions of two activations."""
SUPPORTED: tuple[type[nn.Module], ...] = (
    *MACS, *NORMS, *NONLINEAR, *MAX_POOLS, *AVG_POOLS, *ADAPTIVE[2:], *MOVES, Scaled, Transposed, nn.Flatten,
)  # fmt: skip
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
# Stochastic depth and its kin; by name, since every package has its own class.
_STOCHASTIC = ("DropPath", "DropBlock2d")


def is_dropout(module: nn.Module) -> bool:
    """Whether `module` acts in training only and is the identity in eval mode."""
    return isinstance(module, _DROPOUTS) or type(module).__name__ in _STOCHASTIC


def check_exact(model: fx.GraphModule) -> None:
    """Raise `CrqError` for pools without an integer form and transposed convolutions whose files do not run."""
    modules = dict(model.named_modules())
    for node in model.graph.nodes:
        if node.op == "call_module":
            name, module = str(node.target), modules[str(node.target)]
            _check_pool(name, module)
            if isinstance(module, TRANSPOSED):
                _check_output_padding(name, module)


def _check_output_padding(name: str, module: nn.ConvTranspose1d | nn.ConvTranspose2d) -> None:
    sizes = (_each(module.output_padding), _each(module.stride))
    if any(more >= stride for more, stride in zip(*sizes, strict=True)):
        raise CrqError(
            f"layer {name!r}: output_padding {sizes[0]} must be smaller than the stride {sizes[1]}, or ONNX runtimes "
            "refuse the file: use less padding or a larger kernel"
        )


def _check_pool(name: str, module: nn.Module) -> None:
    if isinstance(module, MAX_POOLS) and any(d != 1 for d in _each(module.dilation)):
        raise CrqError(f"layer {name!r}: a max pool with dilation is not supported")
    if isinstance(module, (nn.AvgPool1d, nn.AvgPool2d)) and any(_each(module.padding)) and not module.count_include_pad:
        raise CrqError(f"layer {name!r}: padding with count_include_pad=False divides by different sizes; count it")
    if getattr(module, "divisor_override", None):
        raise CrqError(f"layer {name!r}: divisor_override is not supported")


def _each(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (size,)
