"""FPGA parts and boards: one JSON file per die."""
