"""Loops on the other branches: counted by hand."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from crq.hw.dataflow.slack import bridges, held_back, other_loops
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import conv, node, quant
from tests.support.random_graphs import GraphBuilder
from tests.support.several_sizes import image_and_table, ternary, three_ports, two_images

SAME = (1, 1, 1, 1)


def test_a_chain_has_no_other_branch() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    network = Network(g.finish(g.negate(g.conv("x", 4))))
    assert set(other_loops(network, {u.name: Fold(1, 1) for u in units(network)}).values()) == {0}


def test_a_branch_counts_units_copies_converters_and_what_drops_pixels() -> None:
    """x, copied, is added to what two convolutions make of it."""
    g = GraphBuilder((4, 6, 6), "UINT4")
    a = g.bias("x")
    b = g.conv(g.conv(a, 4, pads=SAME), 4, (1, 1))
    network = Network(g.finish(g.add(b, a)))
    folds = {"bias1": Fold(4), "conv2": Fold(4, 36), "conv3": Fold(4, 4), "add4": Fold(4)}
    found = other_loops(network, folds)
    assert found["add4", 1] == 3  # a copy and two convolutions
    assert found["add4", 0] == 1  # the copy
    folds = {"bias1": Fold(4), "conv2": Fold(2, 2, form=FOLDED), "conv3": Fold(1, 4, form=FOLDED), "add4": Fold(2)}
    assert other_loops(network, folds)["add4", 1] == 3 + 3  # and a converter in front of each


def test_what_both_branches_have_counts_for_none() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    a = g.conv(g.conv("x", 4, pads=SAME), 4, pads=SAME)
    network = Network(g.finish(g.concat(g.bias(a), a)))
    found = other_loops(network, {u.name: u.legal_folds()[-1] for u in units(network)} | {
        "conv1": Fold(4, 36), "conv2": Fold(4, 36)})  # fmt: skip
    assert found["concat4", 1] == 2  # a copy and the bias


def test_pixels_that_are_dropped_are_a_loop_of_their_own() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    a = g.conv("x", 4, (1, 1), (2, 2))
    network = Network(g.finish(g.add(a, g.conv("x", 4, (2, 2), (2, 2)))))
    folds = {"conv1": Fold(4, 4, form=FOLDED), "conv2": Fold(4, 16), "add3": Fold(4)}
    assert other_loops(network, folds)["add3", 1] == 3  # copy, dropping, convolution


def test_stalled_loops_hold_a_beat_per_iteration_at_most() -> None:
    """36 pixels of 4 channels; 64 iterations in each loop beside the skip, in beats of the skip."""
    g = GraphBuilder((4, 6, 6), "UINT4")
    a = g.bias("x")
    network = Network(g.finish(g.add(g.conv(a, 4, (1, 1)), a)))
    folds = {"bias1": Fold(4), "conv2": Fold(2, 2, form=FOLDED), "add3": Fold(4)}
    # The copy holds 64 pixels, a converter on each side of the convolution 64 halves, the convolution a half of a pixel
    # in every two iterations.
    assert held_back(network, folds, 64)["add3", 1] == 64 + 32 + 16 + 32
    assert held_back(network, folds, 1)["add3", 1] == 3  # a pixel and three halves, in whole beats
    assert held_back(network, folds, 64)["add3", 0] == 2 * 64  # the copy, in beats of half a pixel


def test_what_comes_of_another_input_alone_waits_in_front_of_the_network() -> None:
    """Of two images nothing is held for the other; two vectors of one port are forked, an image beside them is not."""
    expected = {two_images: {("s", 0), ("s", 1)}, image_and_table: {("k", 0), ("k", 1)}, three_ports: {("k", 0)}}
    for file, edges in expected.items():
        network = Network(read_qonnx(file()))
        folds = {u.name: u.legal_folds()[0] for u in units(network)}
        assert bridges(network) == edges
        found, held = other_loops(network, folds), held_back(network, folds, 64)
        assert {found[edge] for edge in edges} == {held[edge] for edge in edges} == {0}
    assert min(found["k", 1], found["k", 2]) > 0


def test_two_inputs_that_meet_twice_hold_for_each_other() -> None:
    """Both have a fork whose branches meet: as deep a pipeline on the one as on the other could block them."""
    proto = two_images()
    proto.graph.node.extend(
        [conv("zq wz2", "c5", "late", pad=1), quant("c5", "a5", "q1", signed=1), conv("a1 w5", "c6", "early", size=1),
         quant("c6", "a6", "q1", signed=1), node("Add", "a5 a6", "again")]
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for name, shape in (("wz2", (4, 1, 3, 3)), ("w5", (4, 4, 1, 1))):
        proto.graph.initializer.append(numpy_helper.from_array(ternary(rng, *shape), name))
    proto.graph.output.append(helper.make_tensor_value_info("again", TensorProto.FLOAT, None))
    network = Network(read_qonnx(proto))
    assert bridges(network) == frozenset()
    folds = {u.name: u.legal_folds()[0] for u in units(network)}
    assert min(held_back(network, folds, 64)[unit, i] for unit in ("s", "again") for i in (0, 1)) > 0


def test_a_network_of_one_input_has_none() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    network = Network(g.finish(g.add(g.conv("x", 4, pads=SAME), g.conv("x", 4, pads=SAME))))
    assert bridges(network) == frozenset()
