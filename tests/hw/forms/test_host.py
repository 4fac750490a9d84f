"""host.py of an RTL project, executed: its words are those that the simulation packs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crq.hw.dataflow.words import pack, unpack, words_of
from crq.hw.forms.host import host_py
from crq.hw.ir.vectors import random_codes
from tests.support.rtl_projects import project


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_the_host_packs_as_the_simulation_does(io_type: str) -> None:
    plan, scope = project(io_type).plan, dict[str, Any]()
    exec(host_py(plan.network, "net", plan.inputs, plan.outputs), scope)
    codes = random_codes(plan.network, 3)
    np.testing.assert_array_equal(scope["pack"](codes), pack(codes, plan.inputs[0], words_of(plan.inputs[0])))
    results = np.random.default_rng(0).integers(-3, 4, (3, 4, 1, 1))
    words = pack(results, plan.outputs[0], words_of(plan.outputs[0]))
    np.testing.assert_array_equal(scope["unpack"](words), results)
    np.testing.assert_array_equal(unpack(words, plan.outputs[0], words_of(plan.outputs[0])), results)
