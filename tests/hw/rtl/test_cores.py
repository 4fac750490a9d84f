"""What is simulated of an RTL project."""

from __future__ import annotations

from crq.hw.rtl.cores import axi_bench, axi_words, beat_words, network_bench, traced_ports
from tests.support.rtl_projects import project


def test_the_core_has_words_and_the_network_beats() -> None:
    plan = project("io_parallel").plan
    core, alone = axi_bench(plan), network_bench(plan)
    assert (core.in_bits, core.out_bits) == ((256,), (32,))
    assert (alone.in_bits, alone.out_bits) == ((200,), (24,))
    assert [[w.bits for w in side] for side in axi_words(plan)] == [[256], [32]]
    assert [[w.per_beat for w in side] for side in beat_words(plan)] == [[1], [1]]
    assert "net_axi u_core (" in core.body
    assert "net u_network (" in alone.body


def test_every_unit_has_a_probe_at_the_stream_that_it_gives() -> None:
    plan = project().plan
    probes = axi_bench(plan, traced=True).probes
    assert [p.data for p in probes] == [f"u_core.u_network.s_{n}_data" for n in ("act2", "pool3", "fc5")]
    assert [(p.bits, p.beats) for p in probes] == [(port.bits, port.beats) for port in traced_ports(plan)]


def test_unrolled_a_probe_follows_the_image_through_the_stages() -> None:
    plan = project("io_parallel").plan
    probes = axi_bench(plan, traced=True).probes
    assert [p.beats for p in probes] == [1, 1, 1]
    assert probes[-1].valid.startswith(f"passed[{plan.pipeline.latency}]")
