"""The model card (Mitchell et al. 2019): what a model is, how good it is, how it was made."""

from __future__ import annotations

from collections.abc import Mapping

from attributes import Attribute
from export.manifest import Manifest, Provenance
from training.evaluation import table
from training.metrics.scores import Evaluation

COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}
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
    """The card's markdown; it shows the pictures ``traversals.png`` and ``evaluation.png``."""
    stages = manifest.training.stages
    return TEMPLATE.format(
        name=manifest.name,
        system=manifest.system,
        height=manifest.image.height,
        width=manifest.image.width,
        channels=COLOURS[manifest.image.channels],
        attributes="\n".join(_table_row(*row) for row in _attribute_rows(manifest.attributes)),
        scores=table(evaluation, ceilings),
        command="\n".join(stage.command for stage in stages),
        provenance="\n".join(f"- {name}: {value}" for name, value in _provenance(stages).items()),
    )


def _provenance(stages: list[Provenance]) -> dict[str, str]:
    last = stages[-1]
    minutes = " + ".join(f"{stage.seconds / 60:.0f}" for stage in stages)
    settings = (" ".join(f"{name}={value}" for name, value in stage.settings.items()) for stage in stages)
    return {
        "data": last.data,
        "images seen": " + ".join(f"{stage.images:,}" for stage in stages),
        "time": f"{minutes} minutes on {last.hardware}",
        "precision": last.precision,
        "seed": ", then ".join(str(stage.seed) for stage in stages),
        "settings": ", then ".join(settings),
        "code": last.version,
    }


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
