"""timm without torchvision, and a script run with it: `python -m tests.support.timm_alone SCRIPT`.

timm imports torchvision for its image transforms; its networks need none of it. Where torchvision is missing an inert
stand-in takes its place for the import, so that `pip install --no-deps timm`, as scripts/setup.sh does, is enough.
"""

import enum
import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
import types


class _Inert(types.ModuleType):
    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "InterpolationMode":
            modes = ("NEAREST", "BILINEAR", "BICUBIC", "BOX", "HAMMING", "LANCZOS")
            return enum.Enum(name, {mode: mode.lower() for mode in modes})
        return type(name, (), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path, target=None):
        if fullname.split(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Inert(spec.name)

    def exec_module(self, module) -> None:
        module.__path__ = []


def import_timm() -> types.ModuleType:
    """timm, imported. It stays importable; torchvision is as missing as before."""
    missing = importlib.util.find_spec("torchvision") is None
    finder = _Finder()
    if missing:
        sys.meta_path.append(finder)
    try:
        import timm
    finally:
        if missing:
            sys.meta_path.remove(finder)
            for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
                del sys.modules[name]
    return timm


if __name__ == "__main__":
    import_timm()
    runpy.run_path(sys.argv[1], run_name="__main__")
