"""Models small enough to know all about them: the decoder paints z into pixels, the encoder reads pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Group, Part

Array: TypeAlias = NDArray[Any]
Kind = Literal["onehot", "codes", "group", "conditional"]

SHAPE = Attribute(name="shape", kind="nominal", size=3, labels=("square", "ellipse", "heart"), default="square")
SCALE = Attribute(name="scale", kind="ordinal", size=6, range=(0.5, 1.0), default=5)
ORIENTATION = Attribute(name="orientation", kind="circular", size=40, period=39, unit="rad", range=(0, 2 * np.pi))
POS_X = Attribute(name="pos_x", kind="ordinal", size=32, range=(0, 1), default=16)
STYLE = Attribute(name="style", kind="continuous", range=(-3, 3))
DISCRETE = (SHAPE, SCALE, ORIENTATION, POS_X)
STYLE_SCALE, STYLE_SD = 2.0, 0.25
EPSILON = 1e-6  # keeps weights of a black image from being all zero

DIGIT = Attribute(name="digit", kind="nominal", size=3, labels=("zero", "one", "two"), default="two")
FREE = tuple(
    Attribute(name=name, kind="continuous", range=(-2, 2), limits=(-4, 4), default=0.5) for name in ("style0", "style1")
)
ROWS, TAU = np.array([[0.0, 0], [4, 0], [0, 4]]), 1.0
EFFECT = np.array([0, 1, 2, 0, 0.1, 0.2, 0.3, 0.4, 0.5])
"""How much each class of shape and scale is told adds to the style that the conditional toy reads."""


@dataclass(frozen=True)
class Toy:
    """A model: its decoder is image = z @ paint + background, its encoder ``nodes`` from ``flat`` pixels [B, P]."""

    attributes: Attributes
    parts: tuple[Part, ...]
    matrix: Array
    paint: Array
    background: Array
    nodes: list[tuple[str, list[str], str]]
    """Operator, inputs and output."""
    constants: dict[str, Array]
    encode: Callable[[Array, Array, Array], dict[str, Array]]
    """The encoder in numpy: of flat pixels, condition [B, sum K] and condition_known [B, 1]."""
    conditions: tuple[str, ...] = ()
    group: Group | None = field(default=None)


def onehot(pixels: int) -> Toy:
    """z is the weights; pixel i is z[i]."""
    attributes = Attributes(DISCRETE)
    parts = [Part(a.name, attributes.columns(a.name).start, attributes.columns(a.name).stop) for a in attributes]
    total = attributes.total
    nodes = [("MatMul", ["flat", "read"], "raw"), ("Add", ["raw", "shift"], "weights"), ("Identity", ["weights"], "z")]
    return Toy(
        attributes,
        tuple(parts),
        np.eye(total),
        np.eye(total, pixels),
        np.zeros(pixels),
        nodes,
        {"read": np.eye(pixels, total), "shift": np.array(EPSILON)},
        lambda flat, *_: dict.fromkeys(("weights", "z"), flat[:, :total] + EPSILON),
    )


def codes(pixels: int) -> Toy:
    """One number per attribute: its class index, which can't be mixed where classes have no order, and a style.

    Pixel i is z[i] / 40, but the encoder reads weights from the first pixels; the style's means -3..3.
    """
    attributes = Attributes((*DISCRETE, STYLE))
    total, length = attributes.total, len(attributes)
    matrix = np.zeros((total, length))
    parts = []
    for index, a in enumerate(attributes):
        parts.append(Part(a.name, index, index + 1, "nearest" if a.kind in ("nominal", "circular") else "linear"))
        matrix[attributes.columns(a.name), index] = STYLE_SCALE if a.kind == "continuous" else np.arange(a.size)
    read, shift = np.eye(pixels, total), np.full(total, EPSILON)
    read[:, -1] *= 6
    shift[-1] = -3
    logvar = 2 * np.log(STYLE_SD * STYLE_SCALE)

    def encode(flat: Array, *_: Array) -> dict[str, Array]:
        weights = flat @ read + shift
        z = weights @ matrix
        return {"weights": weights, "z": z, "mean": z, "logvar": np.full_like(z, logvar)}

    nodes = [
        ("MatMul", ["flat", "read"], "raw"),
        ("Add", ["raw", "shift"], "weights"),
        ("MatMul", ["weights", "matrix"], "z"),
        ("Identity", ["z"], "mean"),
        ("Mul", ["z", "nothing"], "zeros"),
        ("Add", ["zeros", "spread"], "logvar"),
    ]
    constants = {"read": read, "shift": shift, "matrix": matrix, "nothing": np.zeros(1), "spread": np.array(logvar)}
    paint = np.eye(length, pixels) / 40
    return Toy(attributes, tuple(parts), matrix, paint, np.zeros(pixels), nodes, constants, encode)


def group(pixels: int) -> Toy:
    """A multi-level VAE: z is two dimensions of class and two of style.

    Pixels 0..3 are (z + 5) / 10; pixels 4..7 say how unsure the encoder is, log-variances 0..4.
    """
    attributes = Attributes((DIGIT, *FREE))
    parts = (Part("digit", 0, 2, code=0), *(Part(a.name, 2 + i, 3 + i, code=2 + i) for i, a in enumerate(FREE)))
    matrix = np.zeros((5, 4))
    matrix[:3, :2], matrix[3:, 2:] = ROWS, np.eye(2)

    def encode(flat: Array, *_: Array) -> dict[str, Array]:
        mean = 10 * flat[:, :4] - 5
        likely = np.exp(-((mean[:, None, :2] - ROWS) ** 2).sum(axis=2) / (2 * TAU**2))
        weights = np.concatenate([likely / likely.sum(axis=1, keepdims=True), mean[:, 2:]], axis=1)
        return {"weights": weights, "z": mean, "mean": mean, "logvar": 4 * flat[:, 4:8]}

    nodes = [
        ("MatMul", ["flat", "read_mean"], "raw"),
        ("Add", ["raw", "shift"], "mean"),
        ("Identity", ["mean"], "z"),
        ("MatMul", ["flat", "read_logvar"], "logvar"),
        ("MatMul", ["mean", "rows"], "products"),  # |z|^2 is the same for all classes
        ("Add", ["products", "squares"], "logits"),
        ("Softmax", ["logits"], "likely"),
        ("MatMul", ["mean", "styles"], "style"),
        ("Concat", ["likely", "style"], "weights"),
    ]
    constants = {
        "read_mean": 10 * np.eye(pixels, 4),
        "shift": np.array(-5.0),
        "read_logvar": 4 * np.eye(pixels, 4, k=-4),
        "rows": matrix[:3].T / TAU**2,
        "squares": -(ROWS**2).sum(axis=1) / (2 * TAU**2),
        "styles": np.eye(4, 2, k=-2),
    }
    background = np.where(np.arange(pixels) < 4, 0.5, 0)
    paint = np.eye(4, pixels) / 10
    return Toy(attributes, parts, matrix, paint, background, nodes, constants, encode, group=Group("digit", TAU))


def conditional(pixels: int) -> Toy:
    """A conditional VAE: z is the weights of shape and scale, told or guessed, and a style that depends on them.

    Pixels 0..8 are those weights; pixel 9 is (style - weights @ EFFECT + 5) / 10.
    """
    style = Attribute(name="style", kind="continuous", range=(-3, 3), limits=(-8, 8))
    attributes = Attributes((SHAPE, SCALE, style))
    parts = (Part("shape", 0, 3), Part("scale", 3, 9), Part("style", 9, 10, code=0))
    read = np.eye(pixels, 10)

    def encode(flat: Array, condition: Array, known: Array) -> dict[str, Array]:
        used = np.where(known > 0, condition[:, :9], flat[:, :9] + EPSILON)
        mean = 10 * flat[:, 9:10] - 5 + (used @ EFFECT)[:, None]
        z = np.concatenate([used, mean], axis=1)
        return {"weights": z, "z": z, "mean": mean, "logvar": np.full_like(mean, 2 * np.log(STYLE_SD))}

    nodes = [
        ("MatMul", ["flat", "read"], "raw"),
        ("Add", ["raw", "shift"], "guess"),
        ("MatMul", ["condition", "pick"], "told"),
        ("Sub", ["told", "guess"], "wrong"),
        ("Mul", ["wrong", "condition_known"], "correction"),
        ("Add", ["guess", "correction"], "used"),
        ("MatMul", ["used", "effect"], "added"),
        ("MatMul", ["flat", "read_style"], "alone"),
        ("Add", ["alone", "added"], "together"),
        ("Add", ["together", "shift_style"], "mean"),
        ("Concat", ["used", "mean"], "weights"),
        ("Identity", ["weights"], "z"),
        ("Mul", ["mean", "nothing"], "zeros"),
        ("Add", ["zeros", "spread"], "logvar"),
    ]
    constants = {
        "read": read[:, :9],
        "shift": np.array(EPSILON),
        "pick": np.eye(10, 9),
        "effect": EFFECT[:, None],
        "read_style": 10 * read[:, 9:],
        "shift_style": np.array(-5.0),
        "nothing": np.zeros(1),
        "spread": np.array(2 * np.log(STYLE_SD)),
    }
    paint = np.eye(10, pixels)
    paint[:, 9] = [*(-EFFECT / 10), 0.1]
    background = np.where(np.arange(pixels) == 9, 0.5, 0)
    return Toy(
        attributes, parts, np.eye(10), paint, background, nodes, constants, encode, conditions=("shape", "scale")
    )


KINDS: dict[Kind, Callable[[int], Toy]] = {
    "onehot": onehot,
    "codes": codes,
    "group": group,
    "conditional": conditional,
}
