"""When the proofs run unasked: up to five million products per image."""

import numpy as np
import pytest

from crq.hw.ir.graph import Network
from crq.hw.verify.proofs.size import is_small, products
from tests.support.random_graphs import GraphBuilder


def test_products_are_weights_times_the_pixels_that_use_them() -> None:
    g = GraphBuilder((4, 6, 5))
    x = g.threshold(g.conv("x", 6, group=2), 2)  # 6 × 2 × 3 × 3 weights on 4 × 3 pixels
    network = Network(g.finish(g.bias(g.matmul(g.flatten(g.max_pool(x, (2, 1))), 7))))  # 6 × 2 × 3 inputs to 7
    assert products(network) == 6 * 2 * 9 * 12 + 6 * 2 * 3 * 7
    assert is_small(network)


@pytest.mark.parametrize(("columns", "small"), [(1000, True), (1001, False)])
def test_five_million_products_are_the_last_small_number(columns: int, small: bool) -> None:
    g = GraphBuilder((1, 1000, columns))
    network = Network(g.finish(g.conv("x", 5, (1, 1), weights=np.ones((5, 1, 1, 1), np.int64))))
    assert products(network) == 5 * 1000 * columns
    assert is_small(network) is small
