"""Faults are put where they count, each behind a number of its own."""

from __future__ import annotations

import pytest

from crq.hw.errors import HwError
from crq.hw.rtl.bitstream.faults import KINDS, inject
from tests.hw.rtl.bitstream.test_netlist import cell


def netlist() -> dict:
    inside = "u_network.u_fc.u_pe0."
    lut = {"INIT": "0010001000100010"}  # a and not b
    cells = {
        f"{inside}lut": cell("LUT4", lut, ("Z",), A=[2], B=[3], C=["0"], D=["0"], Z=[4]),
        f"{inside}other": cell("LUT4", lut, ("Z",), A=[4], B=[3], C=["0"], D=["0"], Z=[5]),
        f"{inside}ff": cell("TRELLIS_FF", {}, ("Q",), DI=[5], CLK=[2], Q=[6]),
        "last": cell("LUT4", lut, ("Z",), A=[6], B=[5], C=["0"], D=["0"], Z=[7]),
    }
    return {"modules": {"top": {"attributes": {}, "ports": {}, "cells": cells, "netnames": {}}}}


def test_one_of_each_kind_behind_its_number() -> None:
    made = netlist()
    faults = inject(made, {"fc": "head.fc"})
    assert [(f.number, f.layer, f.kind) for f in faults] == [(i + 1, "head.fc", k) for i, k in enumerate(KINDS)]
    module = made["modules"]["top"]
    assert len(module["ports"]["fault"]["bits"]) == 16
    for fault in faults:
        mux = module["cells"][f"fault{fault.number}$mux"]["connections"]
        output = "Q" if fault.kind == KINDS[1] else "Z"
        assert mux["A"] == module["cells"][fault.cell]["connections"][output]
        assert mux["Y"] != mux["A"]
    flipped = module["cells"]["fault1$twin"]["parameters"]["INIT"]
    assert flipped == "0000" * 4  # one bit of two inputs, whatever the open ones read
    twin, right = module["cells"]["fault3$twin"]["connections"], module["cells"][faults[2].cell]["connections"]
    assert (twin["A"], twin["B"]) == (right["B"], right["A"])


def test_a_layer_without_cells() -> None:
    with pytest.raises(HwError, match="layer conv9: no cell for a flipped LUT bit; its netlist has 0 cells"):
        inject(netlist(), {"conv9": "conv9"})
