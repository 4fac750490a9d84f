"""The verdict on a netlist: one that compared nothing, or did not answer, is not equal."""

import numpy as np

from crq.hw.verify.link import compare
from crq.hw.verify.netlists import Netlist


def test_only_equal_integers_are_equal() -> None:
    same, none = np.ones((2, 3), np.int64), np.ones((0, 3), np.int64)
    assert Netlist("synthesis", compare("a", same, same), "", 1.0, 2.0).equal
    assert not Netlist("synthesis", compare("a", same, same + 1), "", 1.0, 2.0).equal
    assert not Netlist("synthesis", compare("a", none, none), "", 1.0, 2.0).equal
    wrong = np.array([[1, 1, 1], [1, 2, 3]])
    differs = str(Netlist("s", compare("a", wrong, same), "", 1, 2))
    assert differs.startswith("NOT bit-exact: 1 of 2 images differ, 2 of 6 integers (a), 1 s to build"), differs
    silent = Netlist("synthesis", None, "no answer", 1.0, 2.0)
    assert not silent.equal
    assert str(silent) == "NOT bit-exact: no answer"
    assert silent.facts()["equal"] is False
    assert "2 of 2 images, 6 of 6 integers (a), 1 s to build" in str(Netlist("s", compare("a", same, same), "", 1, 2))
