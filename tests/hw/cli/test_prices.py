"""The price of a run's frozen network, against a fold of the exported file."""

from crq.hw.cli.prices import luts
from crq.hw.cost.network import estimate
from crq.hw.devices.catalog import find
from crq.hw.fold.search import Target, decide
from crq.hw.ir.graph import Network
from crq.hw.read.origin import load_graph
from tests.support.nets import Plain, frozen


def test_the_part_and_the_clock_count(tmp_path) -> None:
    frozen(Plain).save(tmp_path / "frozen.pt")
    found = luts(tmp_path, 100.0, "pynq-z2", 8.0)
    network, device = Network(load_graph(tmp_path / "frozen.onnx")[0]), find("pynq-z2")
    for target, lut in zip((Target(fps=100.0), Target(best_fit=True)), found, strict=True):
        folds = decide(network, target, device=device, clock_period_ns=8.0).folds
        assert lut == round(estimate(network, folds, "xc7").total.lut)


def test_a_higher_rate_costs_more_and_the_fastest_most(tmp_path) -> None:
    frozen(Plain).save(tmp_path / "frozen.pt")
    slow, fast = luts(tmp_path, 100.0)
    quick, same = luts(tmp_path, 300_000.0)
    assert slow < quick < fast == same
    network = Network(load_graph(tmp_path / "frozen.onnx")[0])
    folds = decide(network, Target(fps=100.0), device=find("xcvu13p"), clock_period_ns=5.0).folds
    assert slow == round(estimate(network, folds, "xcup").total.lut)
