"""The backend: hls4ml's Vitis backend with our flows, our reader and our simulation."""

from __future__ import annotations

import shutil
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from hls4ml.backends import VitisBackend, VivadoBackend
from hls4ml.model.flow import get_flow, register_flow

from crq.hw.errors import HwError
from crq.hw.forms.manifest import FILE
from crq.hw.hls import BACKEND
from crq.hw.hls.built import Built
from crq.hw.hls.config import HLS4ML_OPTIONS, to_config
from crq.hw.hls.csim import compile_simulation
from crq.hw.hls.dispatch import install_converter
from crq.hw.hls.estimated import VITIS, estimated
from crq.hw.hls.frontend import to_model_graph
from crq.hw.hls.layers import LAYERS, register_layers
from crq.hw.hls.templates import CallTemplate, ConfigTemplate
from crq.options import BuildOptions


class CrqBackend(VitisBackend):
    """Multiplier-free projects for Vitis HLS from ternary QONNX."""

    def __init__(self) -> None:
        # Past VivadoBackend's constructor, which would register the flows of the stock backend.
        super(VivadoBackend, self).__init__(BACKEND)
        self._register_layer_attributes()
        register_layers()
        self.register_template(ConfigTemplate)
        self.register_template(CallTemplate)
        self._register_flows()

    def _register_flows(self) -> None:
        """No stock pass rewrites our graph: types, then templates, then the writer."""
        types = register_flow("specific_types", ["vivado:transform_types"], requires=[], backend=self.name)
        templates = register_flow(
            "apply_templates", ["crq:crq_config_template", "crq:crq_function_template"], requires=[types],
            backend=self.name,
        )  # fmt: skip
        self._default_flow = register_flow("ip", None, requires=[types, templates], backend=self.name)
        self._writer_flow = register_flow("write", ["crq:write_hls"], requires=[self._default_flow], backend=self.name)

    def check_complete(self) -> None:
        """Raises `HwError` unless every flow, layer and template of the backend is known to hls4ml."""
        from hls4ml.model.layers import layer_map
        from hls4ml.model.optimizer import get_optimizer

        missing = [layer.__name__ for layer in LAYERS if layer.__name__ not in layer_map]
        for flow in (self._default_flow, self._writer_flow):
            try:
                for name in [o for f in (flow, *get_flow(flow).requires) for o in get_flow(f).optimizers]:
                    get_optimizer(name)
            except Exception as error:  # hls4ml raises plain Exception for an unknown flow or pass
                missing.append(str(error))
        if missing:
            raise HwError(f"the crq backend is registered incompletely; missing: {', '.join(missing)}")

    def create_initial_config(self, clock_uncertainty: str = "27%", **options: Any) -> dict[str, Any]:
        """hls4ml's configuration for this backend, of `BuildOptions` and `HLS4ML_OPTIONS`; others raise `HwError`.

        `board` sets the part, as in hls4ml; `BuildOptions.part` takes either.
        """
        given = {name: value for name, value in options.items() if name not in HLS4ML_OPTIONS}
        known = {f.name for f in fields(BuildOptions)}
        if unknown := given.keys() - known:
            raise HwError(f"unknown option {sorted(unknown)[0]!r} of the crq backend")
        if options.get("namespace") or options.get("write_tar"):
            raise HwError("the crq backend supports neither namespace nor write_tar")
        if board := options.get("board"):
            if given.get("part"):
                raise HwError(f"board {board!r} and part {given['part']!r}: give one; a board sets its part")
            given["part"] = board
        self.check_complete()
        install_converter(to_model_graph)
        return {
            **to_config(BuildOptions().with_given(given)),
            "ClockUncertainty": clock_uncertainty,
            "HLSConfig": {},
            "WriterConfig": {"Namespace": None, "WriteWeightsTxt": False, "WriteTar": False, "TBOutputStream": "both"},
        }

    def compile(self, model: Any) -> str:
        """Compiles the C simulation of the written project; the path of the library."""
        return str(compile_simulation(_folder(model), "ap"))

    def build(self, model: Any, **steps: Any) -> dict[str, Any]:
        """Vitis's report of the steps, as hls4ml gives it; without Vitis the estimate in its place, which says so."""
        if shutil.which("vitis-run"):
            return super().build(model, **steps)
        folder = _folder(model)
        print(f"No vitis-run on PATH: these are estimates. For Vitis's figures: cd {folder}; {VITIS}", file=sys.stderr)
        return estimated(Built(folder))

    def predict(self, model: Any, x: Any) -> Any:
        """Logits (N, …) of images on the input grid, (N, C, H, W), by C simulation with ap types; of a network with
        several inputs a list or tuple of them."""
        return Built(_folder(model)).simulate(x, mode="ap")


def _folder(model: Any) -> Path:
    """The folder of a model, written if it is not yet. A linked one says `.`, since projects may be moved."""
    if hasattr(model, "written"):
        written: Path = model.written()
        return written
    folder = Path(model.config.get_output_dir())
    if not (folder / FILE).exists() and folder == Path():
        raise HwError(
            f"no project in {folder.resolve()}: hls4ml takes the paths of a linked project or configuration from the "
            "folder that Python runs in. Run it in the project's folder, or use hw.open_project(folder)"
        )
    return folder
