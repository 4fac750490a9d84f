"""What place and route found, in the network's words."""

from __future__ import annotations

from crq.hw.rtl.bitstream.timing import Words, timing, utilisation

LAYERS = {"conv1": "conv1", "conv1_2": "body.conv1.2"}
REPORT = {
    "fmax": {"clk": {"achieved": 118.077, "constraint": 125}},
    "critical_paths": [
        {"from": "<async>", "to": "posedge clk", "path": []},
        {
            "from": "posedge clk",
            "to": "posedge clk",
            "path": [
                {"type": "clk-to-q", "delay": 0.525, "to": {"cell": "u_network.u_conv1.u_codes.u_searcher0.t_FF"}},
                {"type": "routing", "delay": 0.9661, "to": {"cell": "u_network.u_conv1.u_codes.u_take.last"}},
            ],
        },
    ],
    "utilization": {"TRELLIS_COMB": {"used": 3, "available": 10}, "DP16KD": {"used": 0, "available": 0}},
}


def test_the_clock_and_the_way() -> None:
    found = timing(REPORT, LAYERS)
    assert found.mhz == 118.08
    assert [(h.kind, h.ns) for h in found.path] == [("clk-to-q", 0.525), ("routing", 0.966)]
    assert found.places == ["layer conv1: search of thresholds", "layer conv1: control of the search"]
    assert utilisation(REPORT, "ecp5") == {"LUT4": (3, 10)}


def test_words_for_cells() -> None:
    words = Words(LAYERS)
    for cell, text in {
        "u_network.u_conv1_2.u_pe0.acc_TRELLIS_FF_Q_1": "layer body.conv1.2: sum of products",
        "u_network.u_conv1.u_window.filled_LUT4_Z": "layer conv1: window",
        "u_network.u_conv1_in0_fifo.count": "layer conv1: FIFO",
        "u_serial.u_crc.sum_LUT4": "board: CRC",
        "led_LUT4_Z": "board: top",
    }.items():
        assert words.of(cell) == text
