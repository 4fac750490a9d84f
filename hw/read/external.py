"""Tensors that a file keeps in another one beside it: read from the file's own folder, and from nowhere else."""

from __future__ import annotations

import math
from pathlib import Path

from onnx import ModelProto, TensorProto, helper

from crq.hw.read.refusals import refuse


def take_in(model: ModelProto, file: Path) -> None:
    """Puts the data of every initializer that `file` keeps elsewhere into `model`.

    Refuses a place outside of the file's folder, whatever links lead there, and data of another length than the
    tensor's.
    """
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            data = _data(tensor, file)
            tensor.ClearField("external_data")
            tensor.data_location = TensorProto.DEFAULT
            tensor.raw_data = data


def _data(tensor: TensorProto, file: Path) -> bytes:
    where = f"{file}: initializer {tensor.name!r}"
    told = {entry.key: entry.value for entry in tensor.external_data}
    location, folder = told.get("location", ""), file.resolve().parent
    place = (folder / location).resolve()
    if not location or Path(location).is_absolute() or not place.is_relative_to(folder):
        refuse("external", where, f"keeps its data in {location!r}, which is not in the file's folder")
    if not place.is_file():
        refuse("external", where, f"keeps its data in {location!r}, which is not there")
    try:
        size = math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        offset, length = int(told.get("offset", 0)), int(told.get("length", size))
    except (KeyError, TypeError, ValueError) as error:
        refuse("external", where, f"says of its data {told} ({error})")
    if min(offset, size) < 0 or length != size or offset + length > place.stat().st_size:
        refuse("external", where, f"takes {size:,} bytes; {location!r} is to have {length:,} from {offset:,} on")
    with open(place, "rb") as stream:
        stream.seek(offset)
        return stream.read(length)
