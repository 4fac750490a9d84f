"""Print the lowest versions that pyproject.toml allows, as pins of pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
for requirement in (*project["dependencies"], *project["optional-dependencies"]["test"]):
    if found := re.match(r"([\w.-]+)(?:>=|==)([\w.]+)", requirement):
        print(f"{found[1]}=={found[2]}")
