"""Right files with seeded damage: read, or refused by the name of the file, the place in it and the remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.mutations import mutate
from tests.support.outcomes import CATCH_ALL, READ, REFUSED, UNCAUGHT, UNNAMED, outcome
from tests.support.right_files import originals

FILES = 400


def test_the_originals_are_read(tmp_path: Path) -> None:
    assert [found for data in originals() if (found := outcome(data, tmp_path / "m.onnx")).kind != READ] == []


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_read_or_refused_by_name(tmp_path: Path) -> None:
    files, rng, kinds = originals(), np.random.default_rng(1), []
    for _ in range(FILES):
        found = outcome(mutate(files[int(rng.integers(len(files)))], rng), tmp_path / "m.onnx")
        assert found.kind not in (UNCAUGHT, CATCH_ALL, UNNAMED), found
        kinds.append(found.kind)
    assert kinds.count(READ) > FILES // 10
    assert kinds.count(REFUSED) > FILES // 2
