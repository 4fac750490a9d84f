"""hls4ml's functions that parse an ONNX file before any backend sees it: for this backend, our reader does.

hls4ml's parser rejects operations that our reader accepts. Every other backend is forwarded untouched.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from crq.hw.dataflow.units import units
from crq.hw.errors import HwError
from crq.hw.hls import BACKEND
from crq.hw.hls.config import DEFAULTS, REASONS
from crq.hw.ir.graph import Network
from crq.hw.read.origin import load_graph

PRECISION = "fixed<16,6>"


def install_converter(convert: Callable[[dict[str, Any]], Any]) -> None:
    """Makes `hls4ml.converters.convert_from_onnx_model(..., backend="crq")` call `convert` with the configuration.

    It cannot be installed at registration: hls4ml.converters is then only partly imported.
    """
    converters = sys.modules.get("hls4ml.converters")
    if converters is None or not hasattr(converters, "onnx_to_hls"):
        return
    stock = converters.onnx_to_hls
    if getattr(stock, "crq_dispatch", False):
        return

    def onnx_to_hls(config: dict[str, Any]) -> Any:
        return convert(config) if config.get("Backend") == BACKEND else stock(config)

    onnx_to_hls.crq_dispatch = True  # type: ignore[attr-defined]
    converters.onnx_to_hls = onnx_to_hls  # type: ignore[attr-defined]


def install_configuration() -> None:
    """Makes `hls4ml.utils.config_from_onnx_model(..., backend="crq")` list the layers that our reader finds."""
    import hls4ml.utils.config as config

    stock = config.config_from_onnx_model
    if getattr(stock, "crq_dispatch", False):
        return

    @functools.wraps(stock)
    def config_from_onnx_model(
        model: Any, granularity: str = "name", backend: str | None = None, *args: Any, **options: Any
    ) -> dict[str, Any]:
        if str(backend).lower() == BACKEND:
            return configuration(model, granularity, *args, **options)
        return stock(model, granularity, backend, *args, **options)

    config_from_onnx_model.crq_dispatch = True  # type: ignore[attr-defined]
    for module in (config, sys.modules["hls4ml.utils"]):
        setattr(module, "config_from_onnx_model", config_from_onnx_model)  # noqa: B010


def configuration(
    model: Any, granularity: str = "name", default_precision: str = PRECISION, default_reuse_factor: int = 1,
    max_precision: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """An `hls_config` of a file: an empty section for each layer, to be filled with ReuseFactor or PE and SIMD,
    WeightRom, Form. Raises `HwError` for what has no meaning here."""
    if granularity.lower() not in ("model", "name"):
        raise HwError(
            f"granularity {granularity!r}: the crq backend takes options of the model or by layer: use 'name'"
        )
    if default_precision not in DEFAULTS["precision"] or max_precision is not None:
        raise HwError(f"a precision has no meaning for the crq backend: {REASONS['precision']}. Leave it out")
    found: dict[str, Any] = {"Model": {"ReuseFactor": default_reuse_factor}}
    if granularity.lower() == "name":
        found["LayerName"] = {unit.name: {} for unit in units(Network(load_graph(model)[0]))}
    return found
