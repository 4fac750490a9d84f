"""host.py of a project: quantizing, packing and unpacking for the host, with NumPy only."""

from __future__ import annotations

import numpy as np

from crq.hw.dataflow.words import Passing, words_of
from crq.hw.forms.render import render
from crq.hw.ir.graph import Network
from crq.hw.ir.head import head_source
from crq.hw.ir.host import host_source
from crq.hw.ir.images import axes_of, image_shape
from crq.hw.ir.joined import Names


def host_py(network: Network, name: str, x: Passing, y: Passing) -> str:
    """The module for the project `name`, whose input passes as `x` and whose result as `y`."""
    return render(
        "crq.hw.forms",
        "host.py",
        name=name,
        file_shape=image_shape(network),
        file_axes=axes_of(network),
        last=network.metadata.input_layout == "NHWC",
        input_shape=tuple(x.tensor.shape),
        output_shape=tuple(y.tensor.shape),
        x=x.tensor.format,
        y=y.tensor.format,
        x_beat=x.beat,
        y_beat=y.beat,
        x_beats=x.beats,
        y_beats=y.beats,
        x_words=words_of(x),
        y_words=words_of(y),
        kind=np.dtype(network.logits_type).name,
        output_scale=repr(network.output_scale.tolist()),
        output_offset=repr(network.output_offset.tolist()),
        quantize=host_source(network),
        head=head_source(network.metadata.output_head),
        inputs=_literal(network.metadata.input_names),
        outputs=_literal(network.metadata.output_names),
        cuts=np.cumsum([c for _, c in network.metadata.output_names])[:-1].tolist(),
    )


def _literal(names: Names) -> str:
    """Names and channels as a Python literal: a file may name its tensors as it likes, and they stay data."""
    return ascii(tuple((str(name), int(channels)) for name, channels in names)) if names else ""
