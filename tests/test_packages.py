"""The packages: `import crq` is free, and a public name is what it says whatever was imported before."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import crq
from crq import export, hw


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def packages() -> list[str]:
    inside = pkgutil.walk_packages(crq.__path__, "crq.")
    return ["crq", *(module.name for module in inside if module.ispkg)]


def public_names(package: str) -> set[str]:
    """Names that the package's own text binds to more than its submodules, and those it loads on first use."""
    module = importlib.import_module(package)
    tree = ast.parse(Path(str(module.__file__)).read_text())
    names = set(getattr(module, "__all__", ()))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != package):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("package", packages())
def test_no_public_name_is_a_submodule_too(package: str) -> None:
    """`import a.b` binds `b` in `a`: a function of that name would be gone."""
    submodules = {module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)}
    assert not public_names(package) & submodules


@pytest.mark.parametrize("package", [crq, export, hw], ids=lambda package: package.__name__)
def test_every_public_name_exists(package) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


def test_import_loads_nothing_heavy() -> None:
    heavy = "('torch', 'numpy', 'onnx', 'hls4ml', 'pytorch_lightning')"
    assert run(f"import sys, crq, crq.cli, crq.export, crq.hw; print([m for m in {heavy} if m in sys.modules])") == "[]"


def test_import_crq_is_enough() -> None:
    assert run("import crq; print(crq.export.to_qonnx.__name__, crq.hw.build.__name__)") == "to_qonnx build"
    assert {"export", "hw"} <= set(dir(crq))


@pytest.mark.parametrize("before", ["import crq.convert.prepare, crq.convert.freeze", "import crq.train.fit", "pass"])
def test_functions_stay_functions(before: str) -> None:
    code = f"import crq\n{before}\nprint(callable(crq.prepare), callable(crq.freeze), callable(crq.train_recipe))"
    assert run(code) == "True True True"
