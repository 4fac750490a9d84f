"""What a README says of the ports of a network."""

from __future__ import annotations

from crq.hw.dataflow.words import Port
from crq.hw.forms.ends import inputs_of, results_of
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import ACT, CONV, IN, base, graph_of
from tests.support.several_sizes import image_and_table


def test_the_only_input_needs_no_name() -> None:
    network = Network(read_qonnx(graph_of([IN, CONV, *ACT], base(), output="q")))
    [x], [y] = inputs_of(network, [Port(network.inputs[0], 2)]), results_of(network, [Port(network.outputs[0], 5)])
    assert (x.label, x.images, x.codes) == ("input", "(N, 2, 6, 6): channels, height, width", "uint4, codes 0 to 15")
    assert (x.beat, x.words.per_image, x.scale, x.prepared) == (2, 36, "0.07", False)
    assert (y.label, y.integers, y.offset) == ("result", "uint4", False)


def test_several_are_numbered_and_have_the_names_of_the_file() -> None:
    network = Network(read_qonnx(image_and_table()))
    inputs = inputs_of(network, [Port(tensor, 1) for tensor in network.inputs])
    results = results_of(network, [Port(tensor, 1) for tensor in network.outputs])
    assert [end.label for end in (*inputs, *results)] == [
        "input ('x')",
        "input2 ('t')",
        "result ('y')",
        "result2 ('m')",
    ]
    assert inputs[1].images == "(N, 7): inputs"
