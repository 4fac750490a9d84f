"""When the proofs run without being asked for."""

from __future__ import annotations

from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac

SMALL_PRODUCTS = 5_000_000  # per image; up to here the proofs take some ten seconds, most of them g++


def products(network: Network) -> int:
    """Products of weights and activations per image."""
    return sum(layer.macs for layer in network if isinstance(layer, Mac))


def is_small(network: Network) -> bool:
    return products(network) <= SMALL_PRODUCTS
