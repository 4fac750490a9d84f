"""host.py of a project: quantizing, packing and unpacking for the host, with NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from crq.hw.dataflow.words import Passing, words_of
from crq.hw.forms.render import render
from crq.hw.ir.ends import Entry
from crq.hw.ir.graph import Network
from crq.hw.ir.head import head_source
from crq.hw.ir.host import host_source
from crq.hw.ir.images import axes_of, image_shape
from crq.hw.ir.joined import Names
from crq.hw.ir.scores import Scores


def host_py(network: Network, name: str, inputs: Sequence[Passing], results: Sequence[Passing]) -> str:
    """The module for the project `name`, whose inputs and results pass so, by port."""
    if len(inputs) > 1 or len(results) > 1:
        return _of_ports(network, name, inputs, results)
    [entry], [scores], [x], [y] = network.entries, network.scores, inputs, results
    return render(
        "crq.hw.forms",
        "host.py",
        name=name,
        file_shape=image_shape(entry),
        file_axes=axes_of(entry),
        last=entry.facts.layout == "NHWC",
        input_shape=tuple(x.tensor.shape),
        output_shape=tuple(y.tensor.shape),
        result_shape=scores.shape,
        x=x.tensor.format,
        y=y.tensor.format,
        x_beat=x.beat,
        y_beat=y.beat,
        x_beats=x.beats,
        y_beats=y.beats,
        x_words=words_of(x),
        y_words=words_of(y),
        kind=np.dtype(scores.kind).name,
        output_scale=repr(scores.scale.tolist()),
        output_offset=repr(scores.offset.tolist()),
        quantize=host_source(entry),
        head=head_source(scores.facts.head),
        inputs=_literal(entry.facts.names),
        outputs=_literal(scores.facts.names),
        cuts=np.cumsum([c for _, c in scores.facts.names])[:-1].tolist(),
    )


def _of_ports(network: Network, name: str, inputs: Sequence[Passing], results: Sequence[Passing]) -> str:
    metadata, heads = network.metadata, [(_named(s), head_source(s.facts.head)) for s in network.scores]
    given, named = ([name for end in ends for name, _ in _named(end)] for ends in (network.entries, network.scores))
    return render(
        "crq.hw.forms",
        "host_ports.py",
        name=name,
        inputs=[_entering(*pair) for pair in zip(network.entries, inputs, strict=True)],
        results=[_leaving(*pair) for pair in zip(network.scores, results, strict=True)],
        input_order=ascii(tuple(metadata.input_order or given)),
        output_order=ascii(tuple(metadata.output_order or named)),
        heads=[(ascii(names[0][0]), lines) for names, lines in heads if lines],
        single=len(named) == 1,
    )


def _entering(entry: Entry, passing: Passing) -> dict[str, Any]:
    return {
        "port": _port(passing), "names": _literal(_named(entry)), "file_shape": image_shape(entry),
        "file_axes": axes_of(entry), "last": entry.facts.layout == "NHWC", "quantize": host_source(entry),
    }  # fmt: skip


def _leaving(scores: Scores, passing: Passing) -> dict[str, Any]:
    return {
        "port": _port(passing), "names": _literal(_named(scores)), "kind": np.dtype(scores.kind).name,
        "scale": repr(scores.scale.tolist()), "offset": repr(scores.offset.tolist()), "shape": scores.shape,
    }  # fmt: skip


def _named(end: Entry | Scores) -> Names:
    """What shares a port; the only input or output of a file has no name there."""
    return end.facts.names or (("input" if isinstance(end, Entry) else "result", end.tensor.shape.c),)


def _port(passing: Passing) -> str:
    """The facts of a stream as arguments."""
    fmt, words = passing.tensor.format, words_of(passing)
    counts = (passing.beats, passing.beat, words.per_beat, words.bits, words.lanes)
    return ", ".join(map(repr, (tuple(passing.tensor.shape), fmt.bits, fmt.signed, *counts)))


def _literal(names: Names) -> str:
    """Names and channels as a Python literal: a file may name its tensors as it likes, and they stay data."""
    return ascii(tuple((str(name), int(channels)) for name, channels in names)) if names else ""
