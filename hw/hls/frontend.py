"""From a file to an hls4ml `ModelGraph`: our own reader takes the place of hls4ml's ONNX parser for this backend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crq.hw.dataflow.names import MAX_LENGTH, RESERVED
from crq.hw.dataflow.timing import HLS
from crq.hw.devices import catalog as devices
from crq.hw.errors import HwError
from crq.hw.fold.limits import check_limits
from crq.hw.fold.options import clock_of
from crq.hw.fold.resolve import rate_that_fits
from crq.hw.hls.config import from_config
from crq.hw.hls.folding import resolve_folds
from crq.hw.hls.layers import class_name, hls_shape, precision
from crq.hw.hls.limits import check_fit
from crq.hw.hls.plan import Plan, Stream, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.ports import numbered
from crq.hw.read.origin import load_graph

INPUT = "network_input"  # hls4ml reserves the name "input"


_NO_FILE = (
    "this configuration names no file (OnnxModel). hls4ml.model.profiling.numerical makes a model anew from that of a "
    "converted one, to plot its floats; here every width follows from exact integer ranges: `crq inspect FILE` prints "
    "codes, weights and ranges by layer, model.trace(x) gives the integers of each"
)


_ELSEWHERE = (
    "{}: no such file. hls4ml takes the paths in the configuration of a project from the folder that Python runs in: "
    "run it in the project's folder, or open the project with hw.open_project(folder)"
)


def to_model_graph(config: dict[str, Any]) -> Any:
    """The `ModelGraph` of config["OnnxModel"]: a path, a ModelProto, or a ModelWrapper that holds an integer graph.

    Raises `HwError` for a network or option the hardware cannot have.
    """
    from crq.hw.hls.model import CrqModelGraph

    _check_project_name(config["ProjectName"])
    if config.get("Target", "hls") != "hls":
        raise HwError("hls4ml writes the HLS form; for RTL call hw.build(model, folder, target='rtl')")
    device = devices.find_for("hls", config["Part"])
    config["Part"] = device.part  # the generated scripts want a vendor's name
    if config["OnnxModel"] is None:
        raise HwError(_NO_FILE)
    if config["OutputDir"] == "." and not Path(str(config["OnnxModel"])).exists():
        raise HwError(_ELSEWHERE.format(config["OnnxModel"]))
    graph, origin = load_graph(config["OnnxModel"], bool(config.get("Argmax")))
    network = Network(graph)
    choice = resolve_folds(network, config)
    plan = make_plan(network, config["IOType"], choice.folds, config["ProjectName"])
    check_limits(network, plan.io_type)
    if config.get("FitCheck", True):
        check_fit(plan, device, lambda: _slower(network, config) if choice.wanted else "")
    config["OnnxModel"] = None  # the integer graph takes its place; hls4ml would otherwise dump it into the project
    layers, inputs = layer_list(plan), [numbered(INPUT, port) for port in range(len(plan.inputs))]
    model = CrqModelGraph.from_layer_list(config, layers, inputs, _hls_outputs(plan))
    model.crq_plan, model.crq_choice, model.crq_graph, model.crq_origin = plan, choice, graph, origin
    model.crq_board = device.board
    model.crq_images = None  # for the testbench; hw.build may give some
    return model


def _slower(network: Network, config: Mapping[str, Any]) -> str:
    """The remedy of a lower rate, or nothing."""
    best = {**config, "TargetFps": None, "TargetLatency": None, "BestFit": True}
    return rate_that_fits(network, lambda: resolve_folds(network, best), clock_of(from_config(config)), HLS)


def _check_project_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise HwError(f"project name {name!r}: expected a C identifier: letters, digits and underscores")
    if len(name) > MAX_LENGTH:
        raise HwError(f"project name {name!r}: {len(name)} letters; expected at most {MAX_LENGTH}")
    if name in RESERVED:
        raise HwError(f"project name {name!r}: is a word of C++ or of the generated code; choose another")


def layer_list(plan: Plan) -> list[dict[str, Any]]:
    """hls4ml's description of the plan: one dictionary per process, the inputs first."""
    names = _output_names(plan)
    layers: list[dict[str, Any]] = [
        {
            "class_name": "InputLayer", "name": names[stream], "input_shape": hls_shape(stream),
            "precision": precision(stream.tensor.format),
        }
        for stream in plan.inputs
    ]  # fmt: skip
    for process in plan.processes:
        layers.append(
            {
                "class_name": class_name(process), "name": process.name, "process": process,
                "inputs": [names[s] for s in process.inputs], "outputs": [names[s] for s in process.outputs],
            }
        )  # fmt: skip
    return layers


def _output_names(plan: Plan) -> dict[Stream, str]:
    """hls4ml names a single output after its layer."""
    names = {stream: numbered(INPUT, port) for port, stream in enumerate(plan.inputs)}
    for process in plan.processes:
        single = len(process.outputs) == 1
        names |= {s: process.name if single else s.name for s in process.outputs}
    return names


def _hls_outputs(plan: Plan) -> list[str]:
    """The layers whose outputs leave the network, by output."""
    return [next(p.name for p in plan.processes if stream in p.outputs) for stream in plan.outputs]
