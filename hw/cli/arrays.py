"""Images of a network with inputs of several sizes, named on the command line: an .npz file with an array for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crq.hw.ir.graph import Network
    from crq.hw.ir.layers import IntArray

EXPECTED = "an .npz file with an array for each input of the network, such as np.savez('inputs.npz', {})"


def codes_by_input(network: Network, name: str, limit: int | None = None) -> IntArray:
    """Codes (crq.hw.ir.ports) of the first `limit` images of the file `name`: integers are codes, floats what the
    network's file takes. Raises `HwError` for another file, and naming the arrays that it lacks."""
    import zipfile
    from pathlib import Path

    import numpy as np

    from crq.hw.errors import HwError
    from crq.hw.ir.images import input_codes

    wanted = network.metadata.input_order
    expected = EXPECTED.format(", ".join(f"{own}=…" if own.isidentifier() else f"**{{{own!r}: …}}" for own in wanted))
    path = Path(name.removesuffix(":all"))
    if path.suffix != ".npz":
        raise HwError(f"--data {name}: the network has inputs of {len(network.inputs)} sizes; expected {expected}")
    try:
        with np.load(path, allow_pickle=False) as file:
            if missing := [own for own in wanted if own not in file.files]:
                there = ", ".join(map(repr, file.files)) or "none"
                raise HwError(f"{path}: has no array {', '.join(map(repr, missing))}, but {there}; expected {expected}")
            arrays = {own: file[own] for own in wanted}
    except HwError:  # a ValueError too
        raise
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise HwError(f"{path}: {error}; expected {expected}") from error
    if empty := [own for own, values in arrays.items() if not values.ndim or not len(values)]:
        raise HwError(f"{path}: array {', '.join(map(repr, empty))} holds no images; expected {expected}")
    arrays = {own: values[:limit] for own, values in arrays.items()}
    return input_codes(network, arrays, quantize=True).astype(np.int64)
