"""crq: train PyTorch networks to ternary weights with Cluster Regularized Quantization.

The names below are loaded on first use, so that `import crq` costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crq.calibrate import calibrate_activations as calibrate_activations
    from crq.calibrate import reestimate_batch_norm as reestimate_batch_norm
    from crq.config import TernaryConfig as TernaryConfig
    from crq.errors import CrqError as CrqError
    from crq.freeze import freeze as freeze
    from crq.frozen import FrozenModel as FrozenModel
    from crq.penalties import ClusterPenalty as ClusterPenalty
    from crq.penalties import layer_statistics as layer_statistics
    from crq.prepare import coded_layers as coded_layers
    from crq.prepare import prepare as prepare
    from crq.prepare import set_mode as set_mode
    from crq.trainer import train as train

__version__ = "0.1.0"

_HOMES = {
    "TernaryConfig": "crq.config",
    "CrqError": "crq.errors",
    "freeze": "crq.freeze",
    "FrozenModel": "crq.frozen",
    "prepare": "crq.prepare",
    "set_mode": "crq.prepare",
    "coded_layers": "crq.prepare",
    "ClusterPenalty": "crq.penalties",
    "layer_statistics": "crq.penalties",
    "calibrate_activations": "crq.calibrate",
    "reestimate_batch_norm": "crq.calibrate",
    "train": "crq.trainer",
}
__all__ = ["__version__", *_HOMES]


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `crq.prepare` and `crq.freeze` the functions: importing a submodule of that name would replace them."""

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _HOMES.get(name) == value.__name__:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
