"""`import crq` is free, and its names are what they say whatever was imported before."""

import subprocess
import sys

import pytest

import crq


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    assert (
        run("import sys, crq, crq.cli; print([m for m in ('torch', 'numpy', 'pytorch_lightning') if m in sys.modules])")
        == "[]"
    )


@pytest.mark.parametrize("before", ["import crq.prepare, crq.freeze", "from crq.prepare import set_mode", "pass"])
def test_functions_win_over_submodules_of_the_same_name(before: str) -> None:
    code = f"import crq\n{before}\nprint(callable(crq.prepare), callable(crq.freeze))"
    assert run(code) == "True True"


def test_every_public_name_exists() -> None:
    for name in crq.__all__:
        assert getattr(crq, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = crq.nothing
