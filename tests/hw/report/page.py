"""A page of the report, parsed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = ("meta", "link", "br")
ADDRESSES = ("src", "href", "srcset", "action", "data")


class Page(HTMLParser):
    """`elements`: every start tag with its attributes; `texts`: what is shown, but not the style; `rows`: the cells of
    every table row; `unclosed`: start tags without an end tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.unclosed.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.unclosed:
            return
        self.texts.append(data)
        if self.unclosed and self.unclosed[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def words(self) -> str:
        """The text as one line, a space between elements."""
        return " ".join(" ".join(self.texts).split())

    @property
    def addresses(self) -> list[str]:
        return [value for _, attributes in self.elements for name, value in attributes.items() if name in ADDRESSES]

    def classes(self, tag: str) -> list[str]:
        return [attributes.get("class", "") for found, attributes in self.elements if found == tag]
