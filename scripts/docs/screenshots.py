"""Pictures of a run, into docs/pictures: `crq run digits`, then `python -m scripts.docs.screenshots runs/digits`.

Chromium draws the report with only some of its sections; what is white below them is cut off.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import click
from PIL import Image, ImageChops

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SECTIONS = {
    "report-top": ("", "Against the device", "Accuracy along the chain"),
    "report-dataflow": ("Dataflow", "LUTs by unit", "What bounds the frame rate"),
    "report-units": ("Weights", "Units"),
}
"""By picture: the headings of its sections; the first part of a page has none."""
WIDTH, HEIGHT, MARGIN = 960, 2400, 24


def only(page: str, headings: tuple[str, ...]) -> str:
    """The page with these sections alone."""
    start, rest = page.split("<main>", 1)
    body, end = rest.split("</main>", 1)
    first, *sections = re.split(r"(?=<h2>)", body)
    kept = [first] if "" in headings else []
    kept += [section for section in sections if any(f"<h2>{h}</h2>" in section for h in headings if h)]
    return f"{start}<main>{''.join(kept)}</main>{end}"


def shot(page: Path, target: Path, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Draw an HTML file as a picture without the empty space below."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise click.ClickException("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.png"
        subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder}/profile", f"--window-size={width},{height}", f"--screenshot={raw}",
             page.resolve().as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
        picture = Image.open(raw).convert("RGB")
        ground = Image.new("RGB", picture.size, picture.getpixel((0, height - 1)))
        box = ImageChops.difference(picture, ground).getbbox() or (0, 0, width, height)
        picture.crop((0, 0, width, min(height, box[3] + MARGIN))).save(target, "WEBP", quality=82, method=6)


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(run: Path) -> None:
    text = (run / "report.html").read_text(encoding="utf-8")
    for name, headings in SECTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / "part.html"
            part.write_text(only(text, headings), encoding="utf-8")
            shot(part, PICTURES / f"{name}.webp")
    for name in ("curves", "weights"):
        picture = Image.open(run / "train" / f"{name}.png").convert("RGB")
        picture.thumbnail((WIDTH, WIDTH))
        picture.save(PICTURES / f"digits-{name}.webp", "WEBP", quality=80, method=6)


if __name__ == "__main__":
    main()
