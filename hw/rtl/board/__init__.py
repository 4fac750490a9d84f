"""A network on a board: clock, pins, the wire protocol and its two ends."""
