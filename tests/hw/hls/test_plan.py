"""Processes and streams: copies for several readers, names, depths, what a plan refuses."""

from __future__ import annotations

from collections import Counter

import pytest
from onnx import TensorProto, helper

from crq.hw.dataflow.blocking import blocking_cycles
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.streams import fifo_depths, intervals, pipeline
from crq.hw.dataflow.timing import HLS
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.errors import HwError
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Shape
from tests.support.random_graphs import NETWORKS, GraphBuilder

SAME = (1, 1, 1, 1)


def plan_of(g: GraphBuilder, output: str, io_type: str = "io_stream", project: str = "") -> Plan:
    network = Network(g.finish(output))
    return make_plan(network, io_type, {u.name: Fold(1, 1) for u in units(network)}, project)


def chain(*names: str) -> tuple[GraphBuilder, str]:
    g, h = GraphBuilder((2, 3, 3), "UINT4"), "x"
    for name in names:
        h = g.bias(h)
        g.nodes[-1].name = name
    return g, h


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_stream_has_one_writer_and_one_reader(name: str, io_type: str) -> None:
    network = Network(NETWORKS[name](0))
    plan = make_plan(network, io_type, {u.name: Fold(1, 1) for u in units(network)})
    written = Counter(s for p in plan.processes for s in p.outputs)
    read = Counter(s for p in plan.processes for s in p.inputs)
    assert set(written.values()) == set(read.values()) == {1}
    assert set(written) | {plan.inputs[0]} == set(read) | {plan.outputs[0]}
    assert plan.outputs[0] in written
    assert plan.inputs[0] in read
    assert set(plan.streams) == set(written) - {plan.outputs[0]}
    known = {plan.inputs[0]}
    for process in plan.processes:  # topological order
        assert known >= set(process.inputs)
        known |= set(process.outputs)


def test_processes_carry_the_units_in_order_with_fold_window_and_cycles() -> None:
    g = GraphBuilder((2, 5, 4), "UINT4")
    h = g.threshold(g.conv("x", 4, pads=SAME), 3)
    network = Network(g.finish(g.matmul(g.flatten(h), 3)))
    folds = {"conv1": Fold(2, 6), "fc4": Fold(3, 8)}
    conv, beats, fc = make_plan(network, "io_stream", folds).processes
    assert (conv.name, conv.fold, fc.fold) == ("conv1", Fold(2, 6), Fold(3, 8))
    assert conv.output.tensor is network["act2"].output
    assert conv.window is not None
    assert conv.window.kernel == (3, 3)
    # 7 x 6 positions of the padded image; 20 complete a window and take 2 · 3 cycles.
    assert conv.cycles == 22 + 20 * 6
    # The last of 20 pixels completes the row: 80 / 8 chunks of one block; those before come in two beats each.
    assert fc.cycles == 2 * 19 + 10
    assert (beats.input, beats.output) == (conv.output, fc.input)


def test_a_flattened_image_streams_as_an_image() -> None:
    g = GraphBuilder((2, 5, 4), "UINT4")
    plan = plan_of(g, g.matmul(g.flatten(g.threshold(g.conv("x", 3, pads=SAME), 2)), 4))
    assert plan.processes[1].input.shape == Shape(3, 5, 4)
    assert plan_of(g, g.flatten(g.bias("x"))).outputs[0].shape == Shape(2, 5, 4)


def test_windows_over_images_one_pixel_wide_lie() -> None:
    g = GraphBuilder((2, 9, 1), "UINT4")
    window = plan_of(g, g.conv("x", 3, (3, 1))).processes[0].window
    assert window is not None
    assert (window.image, window.kernel) == (Shape(2, 1, 9), (1, 3))


def test_two_readers_have_a_copy_between() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.bias("x")
    plan = plan_of(g, g.add(g.negate(h), g.bias(h)))
    bias, copy, negate, other, add = plan.processes
    assert (copy.name, copy.label, copy.unit, copy.window) == ("copy_bias1", "copy_bias1", None, None)
    assert copy.inputs == (bias.output,)
    assert (copy.cycles, copy.fold) == (32, Fold(1))
    assert [s.name for s in copy.outputs] == ["bias1_copy1", "bias1_copy2"]
    assert {s.type_name for s in copy.outputs} == {bias.output.type_name} == {"bias1_t"}
    assert (negate.input, other.input) == copy.outputs
    assert add.inputs == (negate.output, other.output)


def test_a_unit_that_reads_a_tensor_twice_has_two_streams() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    copy, add = plan_of(g, g.add("x", "x")).processes
    assert (copy.name, len(copy.outputs)) == ("copy_input", 2)
    assert add.inputs == copy.outputs


def test_a_layer_that_nothing_reads_is_refused_by_name() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.bias("x")
    model = g.finish(g.negate(h))
    value = next(v for v in model.graph.value_info if v.name == h)
    model.graph.output[0].CopyFrom(value)
    model.graph.value_info.remove(value)
    model.graph.value_info.append(helper.make_tensor_value_info("neg2_out", TensorProto.FLOAT, [1, 2, 4, 4]))
    with pytest.raises(HwError, match="layer 'neg2': nothing reads its output; remove it from the network"):
        make_plan(Network(model), "io_stream", {"bias1": Fold(1), "neg2": Fold(1)})


def test_streams_are_named_after_their_writer_and_the_last_is_the_result() -> None:
    g, last = chain("a", "b.c")
    plan = plan_of(g, last)
    assert [(s.name, s.type_name) for s in (plan.inputs[0], *plan.streams, plan.outputs[0])] == [
        ("input", "input_t"), ("a_out", "a_t"), ("result", "result_t"),
    ]  # fmt: skip
    assert [(p.name, p.label) for p in plan.processes] == [("a", "a"), ("b_c", "b.c")]


def test_names_yield_to_each_other_and_to_the_project() -> None:
    g, last = chain("Net", "fc", "FC", "net_axi", "main")
    names = [p.name for p in plan_of(g, last, project="net").processes]
    assert names == ["Net_2", "fc", "FC_2", "net_axi_2", "layer_main"]


def test_depths_are_those_of_the_fifos_in_front_of_each_unit() -> None:
    network = Network(NETWORKS["residual_net"](0))
    folds = {u.name: Fold(1, 1) for u in units(network)}
    plan = make_plan(network, "io_stream", folds)
    needed = fifo_depths(network, folds, HLS)
    assert set(plan.depths) == {s.name for s in (plan.inputs[0], *plan.streams, plan.outputs[0])}
    writer = {s: p for p in plan.processes for s in p.outputs}
    for process in plan.processes:
        for i, stream in enumerate(process.inputs if process.unit else ()):
            while stream in writer and writer[stream].unit is None and len(writer[stream].outputs) == 1:
                assert plan.depths[stream.name] == 2  # behind a converter
                [stream] = writer[stream].inputs
            assert plan.depths[stream.name] == max(2, needed[process.unit.name, i])
    assert max(plan.depths.values()) > 2
    assert plan.depths["result"] == 2


def test_what_cannot_be_planned_is_refused_by_name() -> None:
    g, last = chain("a")
    with pytest.raises(HwError, match="io_type 'io_serial': expected one of io_stream, io_parallel"):
        plan_of(g, last, "io_serial")
    with pytest.raises(HwError, match="the network has no layers: there is nothing to build"):
        plan_of(g, g.flatten("x"))


def test_streams_of_other_beats_have_a_converter_between() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    network = Network(g.finish(g.negate(g.bias(g.conv("x", 6, pads=SAME)))))
    folds = {"conv1": Fold(2, 4, form=FOLDED), "bias2": Fold(3), "neg3": Fold(3)}
    conv, beats, bias, negate = make_plan(network, "io_stream", folds).processes
    assert (conv.input.beat, conv.output.beat, bias.output.beat) == (4, 2, 3)
    assert (beats.name, beats.unit, beats.window) == ("bias2_beats1", None, None)
    assert (beats.input, beats.output) == (conv.output, bias.input)
    assert (beats.output.type_name, beats.output.beat, beats.cycles) == ("bias2_beats1_t", 3, 150)
    assert negate.input is bias.output
    assert (conv.output.beats, bias.input.beats) == (75, 50)


def test_an_unrolled_plan_knows_no_beats() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    network = Network(g.finish(g.negate(g.conv("x", 6))))
    plan = make_plan(network, "io_parallel", {"conv1": Fold(6, 36), "neg2": Fold(6)})
    assert [p.name for p in plan.processes] == ["conv1", "neg2"]


def test_pixels_that_a_folded_stride_skips_are_dropped_in_front_of_it() -> None:
    g = GraphBuilder((4, 5, 7), "UINT4")
    network = Network(g.finish(g.conv("x", 6, (1, 1), (2, 3))))
    drop, conv = make_plan(network, "io_stream", {"conv1": Fold(2, 2, form=FOLDED)}).processes
    assert drop.unit is None
    assert drop.window is not None
    assert drop.window.stride == (2, 3)
    assert drop.cycles == 5 * 7 * 2
    assert conv.input.shape == Shape(4, 3, 3)
    assert conv.window == ring(conv.unit, conv.fold).slide
    assert conv.loop is not None


def test_a_parallel_stride_of_one_pixel_takes_whole_pixels() -> None:
    g = GraphBuilder((4, 5, 7), "UINT4")
    network = Network(g.finish(g.conv("x", 6, (1, 1), (2, 3))))
    [conv] = make_plan(network, "io_stream", {"conv1": Fold(2, 2)}).processes
    assert (conv.loop, conv.input.beat, conv.input.shape) == (None, 4, Shape(4, 5, 7))


def test_processes_take_the_cycles_that_the_pipeline_counts_also_where_beats_are_joined() -> None:
    g = GraphBuilder((1, 6, 6), "UINT4", seed=1)
    h = g.threshold(g.conv("x", 4, pads=(1, 1, 1, 1)), 2)
    network = Network(g.finish(g.matmul(g.flatten(h), 5)))
    folds = {u.name: Fold(1, 9) if u.layer.kind == "Conv" else Fold(5, 36) for u in units(network)}
    plan = make_plan(network, "io_stream", folds, "net")
    found = {p.unit.name: p.cycles for p in plan.processes if p.unit}
    assert found == intervals(network, folds, HLS)
    assert max(p.cycles for p in plan.processes) == pipeline(network, folds, timing=HLS).interval
    assert found["fc4"] > blocking_cycles(units(network)[-1], folds["fc4"]).interval
