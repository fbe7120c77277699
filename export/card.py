"""The model card: what a bundle is, how good it is, how it was made."""

from __future__ import annotations

from collections.abc import Mapping

from export.bundle import Manifest
from training.attributes import Attribute
from training.evaluation import Evaluation, table

TEMPLATE = """\
# {name}

A variational autoencoder (system `{system}`) whose latent dimensions are named attributes of its images
({height} x {width}, {channels}). Served by spritevae: images to attribute values, attribute values to images.

## Attributes

{attributes}

![Each attribute walked over its whole axis, the others at their defaults](traversals.png)

## Scores

```
{scores}
```

![Scores with their intervals, and some images](evaluation.png)

`accuracy.*`: share of images whose most probable class is the true one (`merged`: two classes that are the same value
count as one); `decode.*`: the image decoded from the true attributes against the true image, binarised at 0.5
(`iou`, `exact`) and as mean absolute difference (`error`); `reconstruction.bce`: nats per image; `round_trip.*`: the
same attribute values come back when the image decoded from them is encoded.

## How it was made

```
{command}
```

{provenance}

## Limits

It knows images like those it was trained on. Of any other image it gives attribute values too, and they mean nothing.
"""


def card(manifest: Manifest, evaluation: Evaluation, ceilings: Mapping[str, float]) -> str:
    """The card's markdown; its pictures are ``traversals.png`` and ``evaluation.png``."""
    training = manifest.training
    rows = {
        "data": training["data"],
        "images seen": f"{training['images']:,}",
        "time": f"{training['seconds'] / 60:.0f} minutes on {training['hardware']}, {training['precision']}",
        "seed": training["seed"],
        "began with": training["init"] or "fresh weights",
        "settings": ", ".join(f"{key}={value}" for key, value in training["settings"].items()),
        "code": training["version"],
    }
    return TEMPLATE.format(
        name=manifest.name,
        system=manifest.system,
        height=manifest.image.height,
        width=manifest.image.width,
        channels={1: "grey", 3: "RGB", 4: "RGBA"}[manifest.image.channels],
        attributes="\n".join(_table_row(*row) for row in _attribute_rows(manifest.attributes)),
        scores=table(evaluation, ceilings),
        command=training["command"],
        provenance="\n".join(f"- {key}: {value}" for key, value in rows.items()),
    )


def _attribute_rows(attributes: tuple[Attribute, ...]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("name", "kind", "accepts", "in units", "default"), ("---",) * 5]
    for attribute in attributes:
        units = "" if attribute.kind == "nominal" else "{:g} .. {:g}".format(*attribute.bounds)
        rows.append(
            (attribute.name, attribute.kind, attribute.accepted, f"{units} {attribute.unit}", str(attribute.default))
        )
    return rows


def _table_row(*cells: str) -> str:
    return "| " + " | ".join(cell.strip() for cell in cells) + " |"
