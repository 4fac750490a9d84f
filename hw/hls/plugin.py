"""The hls4ml backend "crq": `register` is the entry point of the group `hls4ml.backends`.

`HLS4ML_BACKEND_PLUGINS=crq.hw.hls.plugin` finds the same function without an installed entry point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crq.hw.errors import HwError
from crq.hw.hls import BACKEND

# hls4ml turns any exception of a plugin into a printed warning; `require_registered` raises it where it matters.
_failure: BaseException | None = None


def register(*, register_backend: Callable[..., None], register_writer: Callable[..., None]) -> None:
    """Registers the writer, then the backend that uses it. A second call is no error."""
    global _failure
    from hls4ml.backends import get_available_backends

    try:
        if BACKEND in get_available_backends():
            return
        from crq.hw.hls.backend import CrqBackend
        from crq.hw.hls.dispatch import install_configuration
        from crq.hw.hls.writer import CrqWriter

        register_writer(BACKEND, CrqWriter)
        register_backend(BACKEND, CrqBackend)
        install_configuration()
    except Exception as error:
        _failure = error
        if BACKEND not in get_available_backends():
            register_backend(BACKEND, _Broken)
        raise


class _Broken:
    """Stands in for a backend that failed to register: whoever asks for it is told why."""

    def create_initial_config(self, **options: Any) -> Any:
        return require_registered()


def require_registered() -> Any:
    """The backend instance. Raises `HwError` with the cause if hls4ml could not register it whole."""
    from hls4ml.backends import get_available_backends, get_backend

    if _failure is not None:
        raise HwError(f"the crq backend failed to register with hls4ml: {_failure!r}") from _failure
    if BACKEND not in get_available_backends():
        raise HwError(
            "hls4ml does not know the backend 'crq'. Install the package (its entry point registers it) or set "
            "HLS4ML_BACKEND_PLUGINS=crq.hw.hls.plugin before hls4ml is imported"
        )
    backend = get_backend(BACKEND)
    backend.check_complete()
    return backend
