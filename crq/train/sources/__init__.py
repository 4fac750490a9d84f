"""Where data come from: arrays, tables, sounds, functions and the field's benchmarks, each read as plain samples."""
