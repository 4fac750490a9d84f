"""Images of a data set for a network: which set, and what a byte of it is worth."""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hw.ir.graph import Network
    from hw.ir.layers import IntArray

UNSTATED = (
    "accuracy not given: the file does not say what a byte of the data is worth; state it with --scale 1/255, with "
    "--mean and --std if it was standardised, with --signed if bytes count from -128, or with --codes"
)


class Given(NamedTuple):
    """Input codes (N, C, H, W), and labels where what a byte is worth is known; if it is not, `note` says so."""

    codes: IntArray
    labels: NDArray[np.int64] | None
    note: str | None


class Statement(NamedTuple):
    """What the user says of a byte b: the code b (`codes`), or the value (b · scale − mean) / std; signed: b − 128."""

    codes: bool = False
    scale: float | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    signed: bool = False

    def __bool__(self) -> bool:
        return self != Statement()


class DataOptions(NamedTuple):
    """The data set that a command line names, as NAME:SPLIT, and what it says of it."""

    name: str | None
    root: str | None
    statement: Statement

    def load(self, network: Network, limit: int | None = None) -> Given:
        """The first `limit` images. Raises `CrqError` for data that there is not, `HwError` for a wrong shape."""
        from crq.train.data import load
        from hw.ir.images import takes_256ths

        assert self.name is not None
        found = load(self.name, root=self.root)
        images, labels = found.images.numpy()[:limit], found.labels.numpy()[:limit]
        codes = codes_of(network, images, self.statement)
        known = bool(self.statement) or (network.metadata.frozen_hash is not None and takes_256ths(network))
        return Given(codes, labels if known else None, None if known else UNSTATED)


def codes_of(network: Network, images: NDArray[np.uint8], statement: Statement) -> IntArray:
    """Codes of bytes (N, C, H, W). Without a statement bytes are what crq's own files take: codes, or byte/256."""
    import numpy as np

    from hw.errors import HwError
    from hw.ir.host import to_codes
    from hw.ir.images import byte_codes, pixels_for

    if not statement:
        return byte_codes(network, images)
    pixels = pixels_for(network, images).astype(np.int64) - 128 * statement.signed
    if statement.codes:
        lo, hi = int(network.input.lo.min()), int(network.input.hi.max())
        if pixels.min() < lo or pixels.max() > hi:
            raise HwError(f"--codes: bytes in [{pixels.min()}, {pixels.max()}]; the input takes codes [{lo}, {hi}]")
        return pixels
    channels = images.shape[1]
    columns = []
    for option, values, default in (("--mean", statement.mean, 0.0), ("--std", statement.std, 1.0)):
        if len(values) not in (0, 1, channels):
            raise HwError(f"{option}: {len(values)} numbers; expected one, or one for each of {channels} channels")
        column = np.broadcast_to(np.asarray(values or (default,), np.float64), (channels,))
        columns.append(np.repeat(column, network.input.shape.c // channels)[:, None, None])
    mean, std = columns
    scale = 1 / 255 if statement.scale is None else statement.scale
    return to_codes(network, (pixels * scale - mean) / std)


def data_options(help_: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--data and what may be said of it; the command gets them as `data`, a `DataOptions`."""
    options = (
        click.option("--data", "data_name", metavar="NAME:SPLIT", help=help_),
        click.option("--data-root", help="Folder with the data's files."),
        click.option("--codes", is_flag=True, help="The data's bytes are the input codes."),
        click.option("--scale", callback=_number, help="Value of a byte, as 1/255: what the network was trained on."),
        click.option("--mean", callback=_numbers, help="Mean of those values that was taken off; one, or per channel."),
        click.option("--std", callback=_numbers, help="Deviation by which they were divided; one, or per channel."),
        click.option("--signed", is_flag=True, help="The data's bytes count from -128."),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_data(
            *args: Any, data_name: str | None, data_root: str | None, codes: bool, scale: float | None,
            mean: tuple[float, ...], std: tuple[float, ...], signed: bool, **values: Any,
        ) -> Any:  # fmt: skip
            statement = Statement(codes, scale, mean, std, signed)
            if statement and data_name is None:
                raise click.UsageError(
                    "--codes, --scale, --mean, --std and --signed say what --data holds: name it too"
                )
            if codes and (scale is not None or mean or std):
                raise click.UsageError("--codes says it all: leave out --scale, --mean and --std")
            return command(*args, data=DataOptions(data_name, data_root, statement), **values)

        result: Callable[..., Any] = with_data
        for option in reversed(options):
            result = option(result)
        return result

    return decorate


def _number(ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    found = _numbers(ctx, parameter, text)
    if len(found) != 1 or found[0] <= 0:
        raise click.BadParameter(f"{text!r}: expected one positive number, such as 1/255")
    return found[0]


def _numbers(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        values = tuple(float(Fraction(part.strip())) for part in text.split(","))
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(
            f"{text!r}: expected numbers with commas between, such as 0.5 or 1/4,1/3,0.2"
        ) from None
    if parameter.name == "std" and min(values) <= 0:
        raise click.BadParameter(f"{text!r}: expected positive numbers")
    return values
