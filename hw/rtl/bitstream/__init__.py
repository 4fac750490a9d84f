"""From a design on a board to its bitstream: synthesis, place and route, packing, and the netlists in simulation."""
