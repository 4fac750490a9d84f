"""Files with inputs and outputs of several sizes, a stream for each: file = integer graph = simulations = host.py."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import ModelProto, TensorProto, helper

from crq import hw
from crq.hw.cli.bitstream import bitstream
from crq.hw.cli.build import build as build_command
from crq.hw.cli.inspect import inspect as inspect_command
from crq.hw.cli.report import report as report_command
from crq.hw.cli.simulate import simulate as simulate_command
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.images import as_file, input_codes
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.ports import apart
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import HlsProject, RtlProject
from crq.hw.read import read_qonnx
from crq.hw.rtl.drive import Stimulus
from crq.hw.verify.chain import layer_values, qonnx_link
from crq.hw.verify.float32 import float_execution
from crq.hw.verify.float64.evaluate import float64_link
from tests.support.qonnx_files import base, conv, graph_of, node, quant
from tests.support.rtl_projects import needs_verilator
from tests.support.several_ends import ternary
from tests.support.several_sizes import FILES, executed, image_and_table, two_images, values_of


def results_of(found: object) -> tuple[np.ndarray, ...]:
    return found if isinstance(found, tuple) else (found,)  # type: ignore[return-value]


def assert_results(found: object, wanted: list[np.ndarray]) -> None:
    for have, want in zip(results_of(found), wanted, strict=True):
        np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_the_file(name: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    network = Network(read_qonnx(proto))
    values = values_of(proto, 8)
    codes = input_codes(network, values, quantize=True)
    assert_results(network.results(apart(network.outputs, evaluate(network, codes))), executed(proto, values))
    onnx.save(proto, tmp_path / "m.onnx")
    vectors = all_vectors(network, 6, bounding_limit=4)
    layers = layer_values(network, vectors)
    few = {layer: integers[:4] for layer, integers in layers.items()}
    assert qonnx_link(network, vectors[:4], few).equal
    link = float64_link(tmp_path / "m.onnx", network, vectors, layers)
    assert link.equal, str(link)
    assert float_execution(tmp_path / "m.onnx", network, vectors[:4], few).equal


def test_each_size_has_an_input_or_output_of_the_graph() -> None:
    network = Network(read_qonnx(FILES["three_ports"]()))
    assert [tuple(tensor.shape) for tensor in network.inputs] == [(9, 1, 1), (2, 4, 4)]
    assert [facts.names for facts in network.metadata.inputs] == [(("x", 6), ("u", 3)), (("i", 2),)]
    assert (network.metadata.input_order, network.metadata.output_order) == (("x", "i", "u"), ())
    detector = Network(read_qonnx(two_images()))
    assert [tuple(tensor.shape) for tensor in detector.outputs] == [(3, 4, 4), (2, 2, 2)]
    assert detector.metadata.output_order == ("y", "low")


def with_outputs(nodes: list, constants: dict, *others: str) -> ModelProto:
    proto = graph_of(nodes, base() | constants)
    proto.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in others)
    return proto


def test_what_leaves_may_be_read_on(tmp_path: Path) -> None:
    """Maps of codes, of their pool, and of what the pool's convolution gives: no pass may move what leaves."""
    pool = node("MaxPool", "y", "p", "pool", kernel_shape=[2, 2], strides=[2, 2])
    nodes = [quant("x", "xq", "qi"), conv("xq w2", "c", "conv", pad=1), quant("c", "y", "q1", signed=1), pool,
             quant("p", "pq", "coarser"), conv("pq w3", "last", "after")]  # fmt: skip
    constants = {"w2": ternary(3, 2, 3, 3), "w3": ternary(3, 3, 3, 3), "coarser_s": np.float32(0.5),
                 "qi_s": np.float32(1 / 16), "q1_s": np.float32(1 / 4)}  # fmt: skip
    proto = with_outputs(nodes, constants, "p", "last")
    values = values_of(proto, 5)
    project = hw.build(proto, tmp_path / "p")
    assert_results(project.simulate(values["x"], quantize=True), executed(proto, values))


@pytest.mark.parametrize(("name", "io_type"), [
    ("image_and_table", "io_stream"), ("two_images", "io_stream"), ("three_ports", "io_parallel"),
])  # fmt: skip
def test_c_simulation_takes_and_gives_tuples(name: str, io_type: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    project = hw.build(proto, tmp_path / "p", io_type=io_type, project_name="net")
    values = values_of(proto, 5)
    wanted = executed(proto, values)
    assert_results(project.simulate(values, quantize=True), wanted)
    assert_results(project.simulate(tuple(values.values()), quantize=True), wanted)
    assert_results(project.simulate(list(values.values()), quantize=True), wanted)
    host = runpy.run_path(str(tmp_path / "p" / "host.py"))
    network = project.network
    codes = input_codes(network, values, quantize=True)
    for have, want in zip(host["quantize"](values), apart(network.inputs, codes), strict=True):
        np.testing.assert_array_equal(have, want)
    assert_results(host["results"](apart(network.outputs, evaluate(network, codes))), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("target", ["hls", pytest.param("rtl", marks=needs_verilator)])
def test_all_proofs_hold(name: str, target: str, io_type: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    project = hw.build(proto, tmp_path / "p", target=target, io_type=io_type)
    assert [str(proof) for proof in project.check() if not proof.ok] == []
    if isinstance(project, HlsProject):
        values = values_of(proto, 3)
        for mode in project.modes:
            assert_results(project.simulate(values, mode=mode, quantize=True), executed(proto, values))


@needs_verilator
@pytest.mark.parametrize(("name", "io_type"), [("image_and_table", "io_stream"), ("three_ports", "io_parallel")])
def test_verilog_simulation_whatever_stalls(name: str, io_type: str, tmp_path: Path) -> None:
    """Every stream pauses by itself, for many images at most; then the others run ahead as far as there is room."""
    proto = FILES[name]()
    project = hw.build(proto, tmp_path / "p", target="rtl", io_type=io_type)
    assert isinstance(project, RtlProject)
    values = values_of(proto, 6)
    assert_results(project.simulate(values, quantize=True), executed(proto, values))
    network, longest = project.network, 3 * project.plan.pipeline.latency + 3 * project.plan.pipeline.interval
    codes = all_vectors(network, 6, bounding_limit=4)
    wanted = apart(network.outputs, evaluate(network, codes))
    for seed in range(1, 9):
        found, run = project.run_core(codes, Stimulus(pauses=seed, longest=longest), together=True)
        assert all(np.array_equal(have.reshape(want.shape), want) for have, want in zip(found, wanted, strict=True))
        assert all(stream.last[:, -1].all() and stream.last.sum() == len(codes) for stream in run.streams)


def test_the_command_line_takes_such_a_file(tmp_path: Path) -> None:
    file, folder = tmp_path / "m.onnx", tmp_path / "p"
    onnx.save(image_and_table(), file)
    run = CliRunner()

    def told(command: object, *arguments: object) -> dict:
        done = run.invoke(command, [*map(str, arguments), "--json"], catch_exceptions=False)  # type: ignore[arg-type]
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    seen = told(inspect_command, file)
    assert (seen["input"]["names"], seen["input2"]["shape"], seen["output2"]["names"]) == (["x"], [7, 1, 1], ["m"])
    text = " ".join(run.invoke(inspect_command, [str(file)]).stdout.split())
    assert "input 'x' [2, 6, 6] UINT4, scale 0.0625, 't' [7, 1, 1] INT4, scale 0.5; output 'y' [3, 1, 1], 'm'" in text
    made = told(build_command, file, "-o", folder)
    assert {"input", "input2", "result", "result2"} <= made.keys()
    assert told(simulate_command, folder, "--no-checks")["bit_exact"]
    named = told(report_command, folder)
    ends = {end for stream in named["streams"] for end in (stream["from"], stream["to"])}
    assert {"input", "input2", "output", "output2"} <= ends


def test_a_project_opens_again_with_its_ports(tmp_path: Path) -> None:
    proto = two_images()
    network = Network(read_qonnx(proto))
    codes = all_vectors(network, 4)
    made = hw.build(proto, tmp_path / "q", images=as_file(network, codes))
    again = hw.open_project(tmp_path / "q")
    assert again.manifest == made.manifest
    lines = (tmp_path / "q" / "tb_data" / "input_codes.dat").read_text().splitlines()
    first = np.array(lines[0].split(), np.int64)
    x, z = (part[0].transpose(1, 2, 0).ravel() for part in apart(network.inputs, codes))
    np.testing.assert_array_equal(first, np.concatenate([x, z]))


def test_other_inputs_than_the_files_are_refused() -> None:
    network = Network(read_qonnx(image_and_table()))
    x, t = np.zeros((3, 2, 6, 6), int), np.zeros((3, 7), int)
    takes = r"the network takes .*'x' \(N, 2, 6, 6\), 't' \(N, 7\)"
    for given in ((x,), {"x": x, "w": t}, x, (x, t, t)):
        with pytest.raises(HwError, match=takes):
            input_codes(network, given)
    with pytest.raises(HwError, match="as many images of each"):
        input_codes(network, (x, t[:2]))
    with pytest.raises(HwError, match=r"expected \(N, 7\)"):
        input_codes(network, (x, x))
    with pytest.raises(HwError, match=r"no multiple of 0\.5"):
        input_codes(network, (x, t + 0.25))


def test_what_joins_one_stream_to_a_host_is_refused_by_name(tmp_path: Path) -> None:
    project = hw.build(image_and_table(), tmp_path / "p", target="rtl", project_name="net")
    assert isinstance(project, RtlProject)
    told = r"takes a network with one stream in and one out; 'net' has 2 in and 2 out.*net_axi"
    with pytest.raises(HwError, match=f"crq bitstream: {told}"):
        project.bitstream("ulx3s-25f")
    with pytest.raises(HwError, match=f"crq bitstream: {told}"):
        project.vivado("pynq-z2")
    told = CliRunner().invoke(bitstream, [str(project.directory), "--board", "ulx3s-25f"])
    assert (str(told.exception)[:14], told.output) == ("crq bitstream:", "")
    assert "crq bitstream" not in (project.directory / "README.md").read_text()
    readme = (hw.build(image_and_table(), tmp_path / "hls", project_name="net").directory / "README.md").read_text()
    assert "crq bitstream" not in readme
    assert "has the same 4 streams" in readme
    with pytest.raises(HwError, match=r"outputs 'y', 'm': .*\[argmax\]"):
        hw.build(image_and_table(), tmp_path / "q", argmax=True)


def test_an_input_that_nothing_reads_is_refused() -> None:
    proto = image_and_table()
    proto.graph.input.append(helper.make_tensor_value_info("idle", TensorProto.FLOAT, [1, 1, 9, 9]))
    with pytest.raises(HwError, match=r"input 'idle': no layer reads this input.*take it out.*\[several\]"):
        read_qonnx(proto)


def test_names_of_tensors_stay_data_in_generated_code(tmp_path: Path) -> None:
    """A file may come from anyone, host.py is run and the firmware compiled."""
    proto, hostile = image_and_table(), 't"""\n#error run\n*/ raise SystemExit("run")\n\\'
    for holder in (*proto.graph.input, *proto.graph.output):
        holder.name = {"t": hostile, "m": 'o\'\n"""'}.get(holder.name, holder.name)
    for operation in proto.graph.node:
        operation.input[:] = [hostile if name == "t" else name for name in operation.input]
        operation.output[:] = ['o\'\n"""' if name == "m" else name for name in operation.output]
    project = hw.build(proto, tmp_path / "p")
    host = runpy.run_path(str(tmp_path / "p" / "host.py"))
    assert (host["INPUTS"], host["OUTPUTS"]) == (("x", hostile), ("y", 'o\'\n"""'))
    values = values_of(image_and_table(), 3)
    renamed = {"x": values["x"], hostile: values["t"]}
    assert_results(project.simulate(renamed, quantize=True), executed(image_and_table(), values))
