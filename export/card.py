"""The model card: what a bundle is, how good it is, how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attributes import Attribute
from export.bundle import Manifest
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

It knows images like those it was trained on. Of any other image it gives attribute values too, and they mean nothing:
the service calls an image `unfamiliar` if too much of it is lost when it is encoded and decoded.
"""


def card(manifest: Manifest, evaluation: Evaluation, ceilings: Mapping[str, float]) -> str:
    """The card's markdown; its pictures are ``traversals.png`` and ``evaluation.png``."""
    stages = _stages(manifest.training)
    last = stages[-1]
    rows = {
        "data": last["data"],
        "images seen": " + ".join(f"{stage['images']:,}" for stage in stages),
        "time": " + ".join(f"{stage['seconds'] / 60:.0f}" for stage in stages) + " minutes on " + last["hardware"],
        "precision": last["precision"],
        "seed": ", then ".join(str(stage["seed"]) for stage in stages),
        "settings": ", then ".join(
            " ".join(f"{key}={value}" for key, value in stage["settings"].items()) for stage in stages
        ),
        "code": last["version"],
    }
    return TEMPLATE.format(
        name=manifest.name,
        system=manifest.system,
        height=manifest.image.height,
        width=manifest.image.width,
        channels={1: "grey", 3: "RGB", 4: "RGBA"}[manifest.image.channels],
        attributes="\n".join(_table_row(*row) for row in _attribute_rows(manifest.attributes)),
        scores=table(evaluation, ceilings),
        command="\n".join(stage["command"] for stage in stages),
        provenance="\n".join(f"- {key}: {value}" for key, value in rows.items()),
    )


def _stages(training: dict[str, Any]) -> list[dict[str, Any]]:
    """A run's provenance after that of the runs that it began with, the first one first."""
    earlier = training["init"]
    return [*(_stages(earlier) if isinstance(earlier, dict) else []), training]


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
