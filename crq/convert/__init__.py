"""From an nn.Module to integers: trace, prepare, calibrate, freeze."""
