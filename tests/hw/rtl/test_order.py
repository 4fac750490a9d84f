"""The files that a design uses, in the order of compilation."""

from __future__ import annotations

from crq.hw.rtl.order import used

SOURCES = {
    "top.sv": "// uses unused #(1) u_x (\nmodule top;\n  a #(.N(1)) u_a (.x(x));\n  b u_b (\n  );\nendmodule\n",
    "a.sv": "module a #(parameter N = 1) ();\n  c\n      u_c (.x(x));\nendmodule\n",
    "b.sv": "module b;\n  wire c;\nendmodule\n",
    "c.sv": "module c;\nendmodule\n",
    "unused.sv": "module unused;\nendmodule\n",
}


def test_what_is_inside_comes_first_and_what_is_not_used_is_left_out() -> None:
    found = used(SOURCES, "top")
    assert list(found) == ["c.sv", "a.sv", "b.sv", "top.sv"]
    assert found["a.sv"] == SOURCES["a.sv"]


def test_a_wire_of_the_name_of_a_module_is_no_module() -> None:
    assert list(used(SOURCES, "b")) == ["b.sv"]


def test_a_module_may_stand_in_itself() -> None:
    assert list(used({"r.sv": "module r;\n  r #(1) u_r ();\nendmodule\n"}, "r")) == ["r.sv"]
