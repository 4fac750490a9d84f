"""hls4ml templates: they give each layer its configuration struct, its call and the rest of its source."""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from crq.hw.hls.emit import emit
from crq.hw.hls.layers import LAYERS
from crq.hw.hls.source import Emitted


def source_of(node: Any) -> Emitted:
    """The generated text of a layer, made once."""
    source = node.get_attr("crq_source")
    if source is None:
        source = emit(node.get_attr("process"), node.model.config.get_config_value("IOType"))
        node.set_attr("crq_source", source)
    return source


class ConfigTemplate(LayerConfigTemplate):
    """`config_cpp`: the configuration struct."""

    def __init__(self) -> None:
        super().__init__(LAYERS)
        self.name = "crq_config_template"

    def format(self, node: Any) -> str:
        return source_of(node).config


class CallTemplate(FunctionCallTemplate):
    """`function_cpp`: the statement in the top function."""

    def __init__(self) -> None:
        super().__init__(LAYERS)
        self.name = "crq_function_template"

    def format(self, node: Any) -> str:
        return source_of(node).call
