"""MkDocs hooks: pages of the site that do not lie in docs/: the changelog, the examples, the drawn benchmarks."""

from __future__ import annotations

import html
import os
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # MkDocs loads this file by its path

from scripts.docs import benchmarks  # noqa: E402

CODE = re.compile(r"`([^`]*\\\|[^`]*)`")
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def elsewhere() -> dict[str, str]:
    """By file of the repository: its page of the site."""
    pages = {
        "CHANGELOG.md": "project/changes.md", "UPGRADING.md": "project/upgrading.md",
        "CONTRIBUTING.md": "project/contributing.md", "SECURITY.md": "project/security.md",
        "examples/README.md": "examples/index.md",
    }  # fmt: skip
    folders = sorted(path.parent.name for path in ROOT.glob("examples/*/README.md"))
    return pages | {f"examples/{name}/README.md": f"examples/{name}.md" for name in folders}


def moved(text: str, source: str, page: str, pages: dict[str, str]) -> str:
    """A file's text for its page: links go to pages of the site; what lies in the repository alone stays as words."""

    def link(match: re.Match[str]) -> str:
        words, path, anchor = match[1], match[2], match[3] or ""
        target = os.path.normpath(Path(source).parent / path)
        if (ROOT / target).is_dir():
            target += "/README.md"
        goal = target.removeprefix("docs/") if target.startswith("docs/") else pages.get(target)
        if goal is not None:
            return f"[{words}]({os.path.relpath(goal, Path(page).parent)}{anchor})"
        if (ROOT / target.removesuffix("/README.md")).exists():
            return words if words.startswith("`") else f"`{words}`"
        return match[0]  # MkDocs says that it leads nowhere

    return LINK.sub(link, text)


def piped(text: str) -> str:
    """Pipes in code spans of tables as HTML: escaped, as GitHub wants them, their backslashes would show."""

    def span(match: re.Match[str]) -> str:
        return f"<code>{html.escape(match[1]).replace(escaped, '&#124;')}</code>"

    escaped = r"\|"
    lines = text.split("\n")
    return "\n".join(CODE.sub(span, line) if line.startswith("|") else line for line in lines)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    if page.file.generated_by is None:
        markdown = moved(markdown, f"docs/{page.file.src_uri}", page.file.src_uri, elsewhere())
    return piped(markdown)


def on_config(config: Any) -> Any:
    """Every example gets its line in the navigation."""
    tutorials = next(entry["Tutorials"] for entry in config.nav if "Tutorials" in entry)
    examples = next(entry for entry in tutorials if "Examples" in entry)
    examples["Examples"] = [page for page in elsewhere().values() if page.startswith("examples/")]
    return config


def on_files(files: Files, config: Any) -> Files:
    pages = elsewhere()
    for source, page in pages.items():
        text = moved((ROOT / source).read_text(encoding="utf-8"), source, page, pages)
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "benchmarks.md", content=benchmarks.page()))
    for name, picture in benchmarks.pictures().items():
        files.append(File.generated(config, f"pictures/{name}", content=picture))
    return files
