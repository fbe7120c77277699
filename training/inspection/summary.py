"""What was found in a dataset, in lines of text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.inspection.inspection import AttributeReport, Inspection
from training.inspection.labels import class_names

# Colours that make a palette.
PALETTE_COLOURS = 256
# A class with fewer images can hardly be learned.
FEW_IMAGES = 5
# Contradictions that cost less accuracy are not warned of.
MIN_CEILING = 0.9995
# Images whose brightest pixel is no brighter were probably meant as 0 and 1, or as numbers of classes.
DARK = 3
# Letters of the longest bar, and classes that have one.
BAR, SHOWN = 40, 20


def warnings(found: Inspection) -> Iterator[str]:
    """What should be mended before training, each with the option that mends it."""
    for report in found.attributes:
        name, kind = report.attribute.name, report.attribute.kind
        few = int(((report.counts > 0) & (report.counts < FEW_IMAGES)).sum())
        empty = int((report.counts == 0).sum())
        if few and kind != "continuous":
            yield f"{name}: {few} classes have fewer than {FEW_IMAGES} images; add images, or --ignore {name}"
        if empty and kind == "ordinal":
            yield (
                f"{name}: {empty} of its {len(report.counts)} classes have no image; "
                f"if its values have no order, say --attribute {name}=nominal"
            )
        if report.missing > found.rows / 2:
            yield f"{name}: {report.missing:,} of {found.rows:,} cells are empty"
        if report.ceiling < MIN_CEILING:
            yield (
                f"{name}: equal images have unequal labels, so that no model can exceed an accuracy of "
                f"{report.ceiling:.4f}; mend the labels, or --ignore {name}"
            )
    if found.brightest <= DARK:
        yield f"the brightest pixel is {found.brightest} of 255: are these 0 and 1? Save them as 0 and 255"
    if sum(found.held_out.values()) == 0:
        yield "nothing is held out, so that scores will tell nothing; --hold-out images, or add images"
    if found.copies > found.rows / 2:
        yield f"{found.copies:,} of {found.rows:,} images are copies"


def summary(found: Inspection) -> list[str]:
    """What was found, in lines of text."""
    height, width, channels = found.image_shape
    colour = {1: "grey", 3: "RGB", 4: "RGBA"}[channels]
    palette = "a palette" if found.colours <= PALETTE_COLOURS else "no palette"
    alpha = "" if channels != 4 else f", {found.alphas} values of alpha"
    held_out = ", ".join(f"{title}: {count:,}" for title, count in found.held_out.items())
    lines = [
        f"{found.rows:,} images of {width} x {height} pixels, {colour}; {held_out}",
        f"{found.colours:,} colours ({palette}){alpha}",
        f"{found.copies:,} copies, {found.near_copies:,} near copies, {found.contradictions:,} images whose labels "
        "contradict those of an equal one",
        f"attributes predict {_percent(found.explained)} of the variance of unseen images, each adding its part",
    ]
    for report in found.attributes:
        missing = f", {report.missing:,} cells empty" if report.missing else ""
        attribute = report.attribute
        lines.append(f"{attribute.name} ({attribute.kind}{missing}): explains {_percent(report.explained)}")
        lines += _bars(report)
    return lines + [f"warning: {warning}" for warning in warnings(found)]


def _percent(share: float) -> str:
    return "nothing" if np.isnan(share) else f"{100 * max(share, 0):.0f} %"


def _bars(report: AttributeReport) -> list[str]:
    """A bar for each class; of many classes, the most frequent ones and how many there are."""
    names, counts = class_names(report.attribute), report.counts
    order: list[int] = list(range(len(names)))
    if len(names) > SHOWN:
        order = sorted(np.argsort(-counts, kind="stable")[:SHOWN].tolist())
    most, wide = max(1, counts.max()), max(len(names[i]) for i in order)
    bars = {i: "#" * round(BAR * counts[i] / most) for i in order}
    lines = [f"  {names[i]:{wide}} {bars[i]:{BAR}} {counts[i]:,}" for i in order]
    return lines + ([f"  and {len(names) - SHOWN} more classes"] if len(names) > SHOWN else [])
