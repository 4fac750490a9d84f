"""crq: train PyTorch networks to ternary weights with Cluster Regularized Quantization.

The names below are loaded on first use, so that `import crq` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crq.convert.calibrate import calibrate_activations as calibrate_activations
    from crq.convert.calibrate import reestimate_batch_norm as reestimate_batch_norm
    from crq.convert.config import TernaryConfig as TernaryConfig
    from crq.convert.freeze import freeze as freeze
    from crq.convert.frozen import FrozenModel as FrozenModel
    from crq.convert.prepare import coded_layers as coded_layers
    from crq.convert.prepare import prepare as prepare
    from crq.convert.prepare import set_mode as set_mode
    from crq.convert.quantize import quantize as quantize
    from crq.convert.suggest import suggest_input as suggest_input
    from crq.errors import CrqError as CrqError
    from crq.quant.penalties import ClusterPenalty as ClusterPenalty
    from crq.quant.penalties import layer_statistics as layer_statistics
    from crq.train.trainer import train_recipe as train_recipe

__version__ = "0.2.0"

_HOMES = {
    "TernaryConfig": "crq.convert.config",
    "CrqError": "crq.errors",
    "freeze": "crq.convert.freeze",
    "FrozenModel": "crq.convert.frozen",
    "prepare": "crq.convert.prepare",
    "set_mode": "crq.convert.prepare",
    "coded_layers": "crq.convert.prepare",
    "quantize": "crq.convert.quantize",
    "suggest_input": "crq.convert.suggest",
    "ClusterPenalty": "crq.quant.penalties",
    "layer_statistics": "crq.quant.penalties",
    "calibrate_activations": "crq.convert.calibrate",
    "reestimate_batch_norm": "crq.convert.calibrate",
    "train_recipe": "crq.train.trainer",
}
__all__ = ["__version__", *_HOMES]
_STAGES = ("export", "hw")
"""The packages of what follows the training, which `import crq` makes names of too."""


def __dir__() -> list[str]:
    return sorted({*__all__, *_STAGES})


def __getattr__(name: str) -> Any:
    if name in _STAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value
