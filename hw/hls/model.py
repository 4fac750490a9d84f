"""hls4ml's model of a crq project: what its methods mean here, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hls4ml.model import ModelGraph
from hls4ml.model.graph import HLSConfig
from numpy.typing import ArrayLike, NDArray

from crq.hw.errors import HwError
from crq.hw.hls.built import Built


class _Config(HLSConfig):
    """hls4ml copies a configuration only to cut a model into several."""

    def __copy__(self) -> HLSConfig:
        raise HwError(
            "the crq backend does not cut a network into several projects (MultiModelGraph): one project holds all "
            "layers as a dataflow. For a smaller one lower target_fps; to build layers apart, export them apart"
        )


class CrqModelGraph(ModelGraph):
    """A `ModelGraph` whose layers are the processes of a plan."""

    def __init__(self, config: HLSConfig, *args: Any, **more: Any) -> None:
        super().__init__(_Config(config.config), *args, **more)
        self._is_written = False

    def write(self) -> None:
        super().write()
        self._is_written = True

    def trace(self, x: ArrayLike) -> tuple[Any, dict[str, NDArray[Any]]]:
        """(logits as `predict` gives them, integers of every layer by name, int64 (N, C, H, W)) of images."""
        built = Built(self.written())
        return built.simulate(x, mode="ap"), built.trace(x, mode="ap")

    def save(self, file_path: str) -> None:
        raise HwError(
            "a crq model is not saved by itself: its project folder holds all of it (hw.open_project, or "
            "hls4ml.converters.link_existing_project)"
        )

    def written(self) -> Path:
        """The folder of this very model: what another one left there is written over first."""
        if not self._is_written:
            self.write()
        return Path(self.config.get_output_dir())
