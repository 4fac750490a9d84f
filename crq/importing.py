"""What a user names as `module:name`: a function of theirs, importable from the current folder."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from crq.errors import CrqError, nearest


def is_function(name: str) -> bool:
    """Whether `name` is written module:function."""
    return re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", name) is not None


def find(name: str) -> Callable[..., Any]:
    """What `module:function` names, with the current folder among those that Python imports from."""
    module, _, function = name.partition(":")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise CrqError(f"{name}: module {module} needs {error.name}, which is not installed") from error
        raise CrqError(
            f"{name}: there is no module {module!r}; expected {module.replace('.', '/')}.py in {here}, or an "
            "installed one"
        ) from error
    except AttributeError as error:
        near = nearest(function, [n for n in dir(sys.modules.get(module)) if not n.startswith("_")])
        raise CrqError(f"{name}: module {module!r} has no {function!r}{near}") from error
    except Exception as error:
        raise CrqError(f"{name}: importing {module!r} failed: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise CrqError(f"{name} is {type(found).__name__}; expected a function")
    return found
