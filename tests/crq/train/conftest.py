"""A finished run that several tests look at."""

import pytest

from tests.support.recipes import run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "a"
    return folder, run(folder)
