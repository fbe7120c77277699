"""Draws docs/architecture.svg from the import contracts in pyproject.toml: ``python docs/architecture_picture.py``."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "architecture.svg"
WIDTH, COLUMN, FLOOR, GAP, MARGIN, TOP = 1000, 400, 34, 8, 24, 96
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1c2733; text-anchor: middle }
.title { font-weight: 600; font-size: 15px }
.note { font-size: 12px; fill: #57606a }
.paper { fill: #ffffff }
.package { fill: #f6f8fa; stroke: #d0d7de }
.box { fill: #ffffff; stroke: #1b6ca8 }
.arrow { stroke: #57606a; stroke-width: 1.5; fill: none; marker-end: url(#head) }
"""


def floors(package: str) -> list[list[str]]:
    """The folders and files of a package, a list for each floor, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each.get("containers") == [package]]
    return [[name.strip() for name in floor.split("|")] for floor in contract["layers"]]


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A rectangle of the picture."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" class="{kind}"/>'


def text(x: float, y: float, content: str, kind: str = "name") -> str:
    """A line of text with its centre at (x, y)."""
    return f'<text x="{x:g}" y="{y:g}" dy=".35em" class="{kind}">{escape(content)}</text>'


def column(x: float, width: float, title: str, note: str, names: list[list[str]], height: float) -> list[str]:
    """A package as a column of floors."""
    parts = [rectangle(x, TOP, width, height, "package")]
    parts += [text(x + width / 2, TOP + 20, title, "title"), text(x + width / 2, TOP + 40, note, "note")]
    y = TOP + 60
    for floor in names:
        box = (width - 2 * MARGIN - GAP * (len(floor) - 1)) / len(floor)
        for index, name in enumerate(floor):
            left = x + MARGIN + index * (box + GAP)
            parts += [rectangle(left, y, box, FLOOR - GAP, "box"), text(left + box / 2, y + (FLOOR - GAP) / 2, name)]
        y += FLOOR
    return parts


def picture() -> str:
    """The picture as SVG."""
    training, export, service = (floors(package) for package in ("training", "export", "service"))
    height = 68 + FLOOR * max(len(training), len(service))
    middle = WIDTH - 2 * COLUMN - 2 * MARGIN
    bottom = TOP + height + 16
    parts = [
        rectangle(-12, 0, WIDTH + 24, bottom + 72, "paper"),
        rectangle(0, 24, WIDTH, 48, "package"),
        text(WIDTH / 2, 39, "spritevae/", "title"),
        text(WIDTH / 2, 57, "the command, and load() in Python: the others are imported when they are needed", "note"),
        *column(0, COLUMN, "training/", "images and labels to a run folder (PyTorch)", training, height),
        *column(COLUMN + MARGIN, middle, "export/", "a run to a bundle", export, height),
        *column(WIDTH - COLUMN, COLUMN, "service/", "a bundle to HTTP (onnxruntime)", service, height),
        rectangle(0, bottom, WIDTH, 48, "package"),
        text(WIDTH / 2, bottom + 15, "attributes/", "title"),
        text(WIDTH / 2, bottom + 33, "attributes and their values, codebook, interpolation, novelty (numpy)", "note"),
        *arrows(middle, TOP + 108 + FLOOR * len(export)),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 {WIDTH + 24} {bottom + 72:g}" role="img">'
        f"<title>What imports what: each box only boxes below it, each package only packages to its left and below"
        f"</title><style>{STYLE}</style>"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def arrows(middle: float, y: float) -> list[str]:
    """What flows into export and out of it, drawn at a height ``y``."""
    left, right = COLUMN + MARGIN, COLUMN + MARGIN + middle
    return [
        f'<path d="M{left - 34:g} {y:g}H{left + 24:g}" class="arrow"/>',
        text(left + 66, y, "run folder", "note"),
        text(right - 56, y + 60, "bundle", "note"),
        f'<path d="M{right - 26:g} {y + 60:g}H{right + 34:g}" class="arrow"/>',
    ]


if __name__ == "__main__":
    FILE.write_text(picture())
    print(FILE)
