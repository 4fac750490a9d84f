"""The code blocks of a Markdown page: what each one is, and running them in a reader's place.

A page is read from its top: `python` and `sh` blocks run, in one folder and one namespace; a block with a `title` is
written to the file of that name. A `text` block behind a block that ran is what it printed: `…` stands for anything.
A comment in the line above says otherwise:

    <!-- not run: REASON -->       names and options of its commands are checked all the same
    <!-- slow: REASON -->          with `pytest -m slow`
    <!-- fails: CODE -->           the exit code of its last command; what it says on standard error counts as printed
    <!-- output: numbers vary -->  every number stands for any number
    <!-- picture -->               a text block that nothing printed
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from crq.cli import main
from tests.support.imports import ROOT

FENCE = re.compile(r"^```(\w*)(.*)$")
COMMENT = re.compile(r"^<!-- ([\w ]+?)(?:: (.+?))? -->$")
TITLE = re.compile(r'title="([^"]+)"')
RUN = ("python", "sh")
LANGUAGES = (*RUN, "text", "toml", "cpp", "systemverilog", "json")


class Block(NamedTuple):
    """line: of its opening fence. mark, reason: of the comment above it, or empty."""

    language: str
    title: str
    text: str
    line: int
    mark: str
    reason: str

    @property
    def runs(self) -> bool:
        return self.language in RUN and not self.title


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found, lines = [], page.splitlines()
    at = 0
    while at < len(lines):
        if fence := FENCE.match(lines[at]):
            end = next(i for i in range(at + 1, len(lines)) if lines[i] == "```")
            comment = COMMENT.match(lines[at - 1]) if at else None
            title = TITLE.search(fence[2])
            mark, reason = (comment[1], comment[2] or "") if comment else ("", "")
            text = "\n".join(lines[at + 1 : end]) + "\n"
            found.append(Block(fence[1], title[1] if title else "", text, at + 1, mark, reason))
            at = end
        at += 1
    return found


def commands(text: str) -> list[list[str]]:
    """The words of each command line; comments and continued lines are resolved."""
    joined = text.replace("\\\n", " ")
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]


def matches(expected: str, found: str, numbers_vary: bool) -> bool:
    """Whether `found` is `expected`, which may stand anywhere in it, line for line."""

    def lined(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())

    pattern = re.escape(lined(expected)).replace("…", r"[\s\S]*?")
    if numbers_vary:
        pattern = re.sub(r"\d(?:[\d,]|\\\.)*(?<=\d)", r"[\\d,.]+", pattern)
        pattern = re.sub(r"(?:\\ )+", r" +", pattern)
    return re.search(rf"(?:^|\n){pattern}(?:\n|$)", lined(found)) is not None


class Reader:
    """Runs blocks in the current folder, one after the other, as a reader would."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.code, self.printed = 0, ""

    def run(self, block: Block, page: str) -> None:
        """Run a block. `code` and `printed` are then its last command's exit code and all that it printed."""
        out, err = io.StringIO(), io.StringIO()
        self.code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            if block.language == "python":
                exec(compile("\n" * block.line + block.text, page, "exec"), self.names)
            else:
                for words in commands(block.text):
                    assert self.code == 0, f"{page}:{block.line}: {err.getvalue()[-2000:]}"
                    self.code = _command(words)
        self.printed = out.getvalue() + (err.getvalue() if self.code else "")


def _command(words: list[str]) -> int:
    """One command's exit code. `crq` and scripts run in this process: importing torch takes seconds."""
    try:
        if words[0] == "cd":
            os.chdir(words[1])
        elif words[0] == "crq":
            main(words[1:], prog_name="crq")
        elif words[0] == "python" and words[1].endswith(".py"):
            script = Path(words[1]) if Path(words[1]).exists() else ROOT / words[1]  # a reader stands in the repository
            before = sys.argv, list(sys.path)
            sys.argv, sys.path = [str(script), *words[2:]], [str(script.parent.resolve()), *sys.path]
            try:
                runpy.run_path(str(script), run_name="__main__")
            finally:
                sys.argv, sys.path = before
        else:
            path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # torchrun lies there
            done = subprocess.run(
                ["bash", "-c", shlex.join(words)], env={**os.environ, "PATH": path}, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            return done.returncode
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
