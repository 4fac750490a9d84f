"""Samples of a data set for a network: which set, and what a byte of it is worth."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from crq.convert.preprocessing import Steps
    from crq.hw.ir.graph import Network
    from crq.hw.ir.layers import IntArray
    from crq.hw.verify.live import Score
    from crq.train.splits import AnyData

SPELLINGS = (
    "NAME: a public data set, a folder, an .npz, .npy, .csv or .parquet file, module:function, or a recipe or run "
    "folder for its data; SPLIT: train, test, fit, val or all, which a file alone stands for (docs/data.md)."
)
UNSTATED = (
    "accuracy not given: the file does not say what a byte of the data is worth; state it with --scale 1/255, with "
    "--mean and --std if it was standardised, with --signed if bytes count from -128, or with --codes"
)
OWN_LOSS = (
    "figure not given: the loss that the file names is one's own, which is not imported from a file, and the file does "
    "not say what it compares with"
)
ARRAYS = "figures not given: arrays of several inputs have no labels"
UNLABELLED = {
    "classes": "accuracy not given: the data have no labels; add them (docs/data.md)",
    "numbers": "error not given: the network gives numbers, and the data have none to compare with; add them "
    "(docs/data.md)",
    "bits": "accuracy not given: the network answers yes or no, and the data have no zeros and ones to "
    "compare with; add them (docs/data.md)",
}
"""By kind of the labels that a network was trained on, which the data do not have."""


FEW, MOST = 0.1, 0.5
"""Of all values and of one channel's may be clipped without a word: grids of few bits that training chose give up 7% of
their own data."""


class Given(NamedTuple):
    """Input codes (N, C, H, W), and what says how well results fit the labels, where there are any and what a byte is
    worth is known; otherwise `note` says what is missing.
    """

    codes: IntArray
    score: Score | None
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
    """The data set that a command line names, as NAME:SPLIT, what it says of it, and more keys of a data section."""

    name: str | None
    root: str | None
    statement: Statement
    keys: tuple[str, ...] = ()

    def load(self, network: Network, limit: int | None = None) -> Given:
        """The first `limit` samples. Raises `CrqError` for data that there is not, `HwError` for a wrong shape."""
        import torch

        from crq.hw.cli.scores import Scored
        from crq.hw.cli.sections import section_of, task_of
        from crq.train.sources.arrays import holds_codes
        from crq.train.splits import load_split

        assert self.name is not None
        if len(network.inputs) > 1:
            return self._by_input(network, limit)
        section, split = section_of(self.name, self.root, self.keys)
        file, statement = Path(section.root or "") / section.name, self.statement
        if holds_codes(file):
            statement = statement._replace(codes=True)
        task = task_of(network, section)
        found = load_split(section, split, "marks" if task is None else task.kind, bare=True)
        count = len(found) if limit is None else min(limit, len(found))
        samples = found.take(torch.arange(count))
        known = bool(statement) or says_of_bytes(network)
        if samples.dtype != torch.uint8:
            codes, known = codes_of_values(network, channels_first(network, samples.numpy()), statement), True
        else:
            codes = codes_of(network, channels_first(network, samples.numpy()), statement)
            samples = samples.float() / 256
        if task is None:
            return Given(codes, None, OWN_LOSS)
        labelled = bool(found.classes) if task.kind == "classes" else found.labels.is_floating_point()
        if task.kind in UNLABELLED and not labelled:
            return Given(codes, None, UNLABELLED[task.kind])
        if not known:
            return Given(codes, None, UNSTATED)
        if task.kind == "classes" and (note := _no_classifier(network, len(found.classes))):
            return Given(codes, None, note)
        labels = labels_for(network, found) if task.kind == "classes" else found.labels
        return Given(codes, Scored(task, labels, samples, recorded_steps(network)).first(count), None)

    def _by_input(self, network: Network, limit: int | None) -> Given:
        from crq.hw.cli.arrays import codes_by_input
        from crq.hw.errors import HwError

        assert self.name is not None
        if self.statement or self.keys or self.root:
            raise HwError(
                "--data-root, --data-key, --codes, --scale, --mean, --std and --signed are for data of one input; "
                "arrays of several hold codes, or values as the file takes them: leave these out"
            )
        return Given(codes_by_input(network, self.name, limit), None, ARRAYS)


def _no_classifier(network: Network, classes: int) -> str | None:
    """Why results are no scores of so many classes, where the file does not say so; None where they may be."""
    said = network.metadata.other
    if "loss" in said or said.get("class_names", "[]") != "[]":
        return None
    if len(network.outputs) > 1:
        return "accuracy not given: the network has several outputs, and the file does not say that it classifies"
    [given], [taken] = network.outputs, network.inputs
    shape = network.layers[-1].input.shape if network.gives_classes else given.shape
    again = shape.size == taken.shape.size != classes
    if shape.pixels == 1 and shape.c >= classes and not again:
        return None
    gives = f"{shape.c} numbers" if shape.pixels == 1 else f"a map of {shape.c}×{shape.h}×{shape.w} numbers"
    return (
        f"accuracy not given: the network gives {gives}{', as many as it takes,' if again else ''} and the data have "
        f"{classes} classes; the file does not say that it classifies"
    )


def channels_first(network: Network, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples as (N, C, …): a network that was trained on (N, points, features) has data in that order."""
    import numpy as np

    last = network.metadata.frozen_hash is not None and network.metadata.inputs[0].layout == "NHWC"
    return np.moveaxis(samples, -1, 1) if last else samples


def says_of_bytes(network: Network) -> bool:
    """Whether the file says that a byte is worth byte/256, before its own steps: a recipe trains on nothing else, and
    so does whoever keeps the default grid of `crq.prepare`.
    """
    from crq.hw.ir.images import takes_256ths

    ours = network.metadata.frozen_hash is not None
    return ours and ("recipe" in network.metadata.other or takes_256ths(network))


def recorded_steps(network: Network) -> Steps:
    """What the host does to real values, as training has it."""
    steps = network.metadata.inputs[0].preprocessing
    return tuple((kind, tuple(c) if isinstance(c, list) else c) for kind, c in steps)


def labels_for(network: Network, found: AnyData) -> Tensor:
    """Labels (int64 [N]) as the network numbers its classes: by their names, where the file has names.

    Raises `HwError` naming the data's classes that the file does not have.
    """
    import torch

    from crq.hw.errors import HwError

    theirs = json.loads(network.metadata.other.get("class_names", "[]"))
    if not theirs or tuple(theirs) == found.classes:
        return found.labels
    if extra := [name for name in found.classes if name not in theirs]:
        raise HwError(
            f"{found.name} has classes that the network does not: {_few(extra)}; the network's are {_few(theirs)}: "
            "leave those samples out, or label them as the training data"
        )
    return torch.tensor([theirs.index(name) for name in found.classes])[found.labels]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def codes_of_values(network: Network, values: NDArray[np.float32], statement: Statement) -> IntArray:
    """Codes of real values (N, …). Without a statement they are what the file takes; its own steps are done to them."""
    import numpy as np

    from crq.hw.errors import HwError
    from crq.hw.ir.images import input_codes, pixels_for

    if statement.signed:
        raise HwError("--signed is for bytes; the data hold real values as they are: leave it out")
    pixels = pixels_for(network, values)
    if statement.codes:
        if not np.array_equal(pixels, np.rint(pixels)):
            raise HwError("--codes: the data hold values that are no integers; state --scale, --mean and --std instead")
        return input_codes(network, pixels.astype(np.int64), layout="NCHW").astype(np.int64)
    return _standardized(network, pixels.astype(np.float64), values.shape[1], statement, 1.0)


def codes_of(network: Network, images: NDArray[np.uint8], statement: Statement) -> IntArray:
    """Codes of bytes (N, C, H, W). Without a statement bytes are what crq's own files take: codes, or byte/256."""
    import numpy as np

    from crq.hw.errors import HwError
    from crq.hw.ir.images import byte_codes, pixels_for

    if not statement:
        return byte_codes(network, images)
    pixels = pixels_for(network, images).astype(np.int64) - 128 * statement.signed
    if statement.codes:
        [tensor] = network.inputs
        lo, hi = int(tensor.lo.min()), int(tensor.hi.max())
        if pixels.min() < lo or pixels.max() > hi:
            raise HwError(f"--codes: bytes in [{pixels.min()}, {pixels.max()}]; the input takes codes [{lo}, {hi}]")
        return pixels
    return _standardized(network, pixels, images.shape[1], statement, 1 / 255)


def _standardized(
    network: Network, pixels: NDArray[Any], channels: int, statement: Statement, usual: float
) -> IntArray:  # fmt: skip
    """Codes of (pixels · scale − mean) / std; the scale is by default `usual`."""
    import numpy as np

    from crq.hw.errors import HwError
    from crq.hw.ir.host import clipped, to_codes

    columns = []
    for option, values, default in (("--mean", statement.mean, 0.0), ("--std", statement.std, 1.0)):
        if len(values) not in (0, 1, channels):
            raise HwError(f"{option}: {len(values)} numbers; expected one, or one for each of {channels} channels")
        column = np.broadcast_to(np.asarray(values or (default,), np.float64), (channels,))
        columns.append(np.repeat(column, network.inputs[0].shape.c // channels)[:, None, None])
    mean, std = columns
    scale = usual if statement.scale is None else statement.scale
    standardized = (pixels * scale - mean) / std
    codes = to_codes(network, standardized)
    shares = clipped(network, standardized, codes)
    worst = int(shares.argmax())
    if shares.mean() > FEW or shares[worst] > MOST:
        where = f" (of channel {worst}, from 0, {shares[worst]:.0%})" if len(shares) > 1 else ""
        click.echo(
            f"warning: {shares.mean():.0%} of the values{where} lie beyond what the input's codes reach and are "
            "clipped: the network was made for other data, or --scale, --mean and --std should say what these are",
            err=True,
        )
    return codes


def data_options(help_: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--data and what may be said of it; the command gets them as `data`, a `DataOptions`."""
    options = (
        click.option("--data", "data_name", metavar="NAME:SPLIT", help=f"{help_} {SPELLINGS}"),
        click.option("--data-root", help="Folder with the data's files."),
        click.option(
            "--data-key",
            "data_keys",
            multiple=True,
            metavar="KEY=VALUE",
            help="A key of a recipe's data section, as label_column=quality or sound.rate=8000; repeatable.",
        ),
        click.option("--codes", is_flag=True, help="The data's bytes are the input codes."),
        click.option("--scale", callback=_number, help="Value of a byte, as 1/255: what the network was trained on."),
        click.option("--mean", callback=_numbers, help="Mean of those values that was taken off; one, or per channel."),
        click.option("--std", callback=_numbers, help="Deviation by which they were divided; one, or per channel."),
        click.option("--signed", is_flag=True, help="The data's bytes count from -128."),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_data(
            *args: Any, data_name: str | None, data_root: str | None, data_keys: tuple[str, ...], codes: bool, scale:
            float | None, mean: tuple[float, ...], std: tuple[float, ...], signed: bool, **values: Any,
        ) -> Any:  # fmt: skip
            statement = Statement(codes, scale, mean, std, signed)
            if (statement or data_keys) and data_name is None:
                raise click.UsageError(
                    "--data-key, --codes, --scale, --mean, --std and --signed say what --data holds: name it too"
                )
            if codes and (scale is not None or mean or std):
                raise click.UsageError("--codes says it all: leave out --scale, --mean and --std")
            return command(*args, data=DataOptions(data_name, data_root, statement, data_keys), **values)

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
