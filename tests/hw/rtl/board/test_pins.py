"""Constraints in each family's language."""

from crq.hw.devices.boards import find_board
from crq.hw.rtl.board.pins import constraints, ports


def test_each_family_has_its_own_words() -> None:
    assert 'LOCATE COMP "rx" SITE "M1";\nIOBUF PORT "rx" IO_TYPE=LVCMOS33;' in constraints(find_board("ulx3s-25f"))
    assert "set_io clk_in 35" in constraints(find_board("icebreaker"))
    text = constraints(find_board("tang-nano-9k"))
    assert 'IO_LOC "clk_in" 52;' in text
    assert 'IO_PORT "led[0]" IO_TYPE=LVCMOS18;' in text  # its LEDs lie in a bank of 1.8 V
    assert ports(find_board("ulx3s-85f"))["wifi_gpio0"] == "L2"
