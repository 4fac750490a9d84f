"""The HLS form of a network: an hls4ml backend that writes Vitis HLS projects, and their C simulation."""

BACKEND = "crq"
"""The name by which hls4ml knows the backend."""
