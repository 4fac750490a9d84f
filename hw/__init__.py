"""Ternary QONNX to FPGA: integer graph, hls4ml backend, C simulation, estimates, reports."""
