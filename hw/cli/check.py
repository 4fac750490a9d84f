"""The verb `check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crq.hw.cli.data import DataOptions, data_options

if TYPE_CHECKING:
    from crq.hw.ir.graph import Network
    from crq.hw.ir.layers import IntArray
    from crq.hw.project import Project
    from crq.hw.verify.link import Link


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--reference", type=click.Path(path_type=Path), help="Run folder or frozen.pt the file was exported from."
)
@data_options("Images (for example digits:test); default: random, extreme and bounding.")
@click.option(
    "--project", "directory", type=click.Path(path_type=Path),
    help="A project built from FILE: its simulation is compared, and what was found is kept in it.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="Use at most this many images.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(
    file: Path, reference: Path | None, data: DataOptions, directory: Path | None, limit: int, as_json: bool
) -> None:
    """Check the chain of equality of FILE, any ternary QONNX: every layer, every integer.

    The file in float64 (onnx's reference evaluator) against the integer graph; the integer graph in qonnx and in C
    simulation (both modes, a project in a temporary folder) against NumPy. With --reference, instead of the first, live
    PyTorch against the file in onnxruntime and qonnx, and against the integer graph. Says where the first difference
    is. Exit code 1 if anything differs. Without --reference the file is also run as it stands: what its float32
    arithmetic makes different is counted, and fails where no tie explains it.
    """
    import tempfile

    from crq.convert.frozen import frozen_file
    from crq.hw.forms.verdicts import keep
    from crq.hw.ir.vectors import all_vectors
    from crq.hw.project import build
    from crq.hw.verify.chain import QONNX_IMAGES, file_links, layer_values, load_network
    from crq.hw.verify.float32 import facts
    from crq.hw.verify.float64.evaluate import float64_link

    network = load_network(file)
    if data.name is not None:
        codes = data.load(network, limit).codes
    else:
        codes = all_vectors(network, limit, bounding_limit=limit // 4)[:limit]
    links = (
        _reference_links(reference, file, network, codes, sys.stderr.isatty() and not as_json)
        if reference
        else [float64_link(file, network, codes[:QONNX_IMAGES], layer_values(network, codes[:QONNX_IMAGES]))]
    )
    own = None if reference else _float_execution(file, network, codes)
    with tempfile.TemporaryDirectory() as folder:
        project = _project_of(file, directory) if directory else build(file, Path(folder) / "project")
        # a project that was asked for the class has a layer more than the file
        links += file_links(project.network if project.network.gives_classes else network, project, codes)
    unexplained = (own.images_differing or 0) - (own.explained or 0) if own else 0
    equal = not unexplained and all(link.equal for link in links if link.claimed)
    if as_json:
        rows, ties = [link.facts() for link in links], dict(network.metadata.ties)
        click.echo(json.dumps({"links": rows, "float32": own and facts(own), "ties": ties}, indent=2))
    else:
        _print(network, links, own, unexplained)
    if directory:
        against = f"{'the live PyTorch model and ' if reference else ''}{file.name} in its runtimes"
        claimed = [link for link in links if link.claimed]
        counts = {key: sum(getattr(link, key) for link in claimed) for key in ("integers", "differing")}
        found = {"against": against, "images": len(codes), **counts, "equal": equal}
        found["links"] = [link.facts() for link in links]
        keep(
            project, f"check {'with' if reference else 'without'} PyTorch", found, reference and frozen_file(reference)
        )
    if not equal:
        sys.exit(1)


def _print(network: Network, links: list[Link], own: Link | None, unexplained: int) -> None:
    from crq.hw.verify.float32 import described

    for link in links:
        click.echo(str(link))
    if own is not None:
        click.echo(f"note: {described(own)}")
    for layer, channels in network.metadata.ties.items():
        click.echo(f"note: {layer}: channels {channels} have a boundary within float32 error of a tie")
    if unexplained:
        click.echo(f"FAILED   no tie explains what float32 changes in {unexplained:,} images")


def _project_of(file: Path, directory: Path) -> Project:
    """Raises `HwError` for a project that was not built from `file`."""
    from crq.files import sha256
    from crq.hw.errors import HwError
    from crq.hw.project import open_project

    project = open_project(directory)
    if project.manifest.source["sha256"] != sha256(file):
        raise HwError(
            f"{directory}: was built from {project.manifest.source['name']}, which is not {file} as it is now"
        )
    project.check_unchanged()
    return project


def _float_execution(file: Path, network: Network, codes: IntArray) -> Link:
    from crq.hw.verify.chain import QONNX_IMAGES, layer_values
    from crq.hw.verify.float32 import float_execution

    few = codes[:QONNX_IMAGES]
    return float_execution(file, network, few, layer_values(network, few))


def _reference_links(reference: Path, file: Path, network: Network, codes: IntArray, progress: bool) -> list[Link]:
    """Live PyTorch against the file in its runtimes, and against the integer graph layer by layer."""
    import numpy as np
    import torch

    from crq.hw.cli.runtimes import runtime_links
    from crq.hw.ir.images import as_file
    from crq.hw.verify.chain import layer_values
    from crq.hw.verify.link import compare_layers
    from crq.hw.verify.live import frozen_of, layer_codes

    model = frozen_of(network, reference)
    x = torch.as_tensor(np.ascontiguousarray(as_file(network, codes))).reshape(-1, *model.input.shape)
    links = runtime_links(model, file, x, progress)
    live = layer_codes(network, model, codes)
    return [*links, compare_layers(network, "PyTorch = integer graph", layer_values(network, codes), live, live.keys())]
