import json
from pathlib import Path
from typing import Any

import pytest

from attributes import Group
from export.bundle import BundleError, read_bundle, seal
from export.manifest import Manifest, Provenance, Scores, digest_of
from service.inference.repository import SHIPPED
from tests.export.conftest import digest, edit
from tests.service.toys import toy_bundle


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        ([], "at least one latent part"),
        ([{"attribute": "nobody", "start": 0, "stop": 3}], "names no attribute"),
        ([{"attribute": "shape", "start": 0, "stop": 3}, {"attribute": "scale", "start": 4, "stop": 10}], "follow"),
    ],
)
def test_latent_parts_that_leave_a_dimension_without_an_owner_are_refused(
    small_bundle: tuple[Path, Manifest], latents: list[dict], message: str
) -> None:
    content = small_bundle[1].model_dump(mode="json") | {"latents": latents}
    with pytest.raises(ValueError, match=message):
        Manifest.model_validate(content)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("conditional", {"conditions": ()}, "encoder: has inputs"),
        ("onehot", {"conditions": ("shape",)}, "encoder: has inputs"),
        ("conditional", {"conditions": ("style",)}, "'style' is no discrete attribute"),
        ("conditional", {"conditions": ("colour",)}, "'colour' is no discrete attribute"),
        ("group", {"group": Group("style0", 1)}, "'style0' is no discrete attribute"),
        ("group", {"group": Group("colour", 1)}, "'colour' is no discrete attribute"),
        ("group", {"group": Group("digit", 0)}, "tau must be positive"),
        ("group", {"group": Group("digit", float("inf"))}, "tau must be positive"),
        ("group", {"group": Group("digit", float("nan"))}, "tau must be positive"),
        ("onehot", {"group": Group("shape", 1)}, "needs mean and logvar of the encoder"),
        ("conditional", {"group": Group("shape", 1)}, "needs mean and logvar of the encoder"),
    ],
)
def test_conditions_and_groups_that_the_encoder_lacks_are_refused(
    tmp_path: Path, kind: str, change: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        toy_bundle(tmp_path / "toy", kind=kind, **change)


@pytest.mark.parametrize("shape", [[-1, 9], [-1, 1], [2, 10]])
def test_a_condition_of_another_length_than_all_weights_is_refused(tmp_path: Path, shape: list[int]) -> None:
    path = toy_bundle(tmp_path / "toy", kind="conditional")
    edit(path, lambda manifest: manifest["encoder"]["inputs"][1].update(shape=shape))
    with pytest.raises(BundleError, match="encoder: has inputs"):
        read_bundle(path)


@pytest.mark.parametrize(
    ("half", "kind", "name"),
    [
        ("encoder", "outputs", "z"),
        ("encoder", "outputs", "weights"),
        ("decoder", "inputs", "z"),
        ("decoder", "outputs", "image"),
    ],
)
@pytest.mark.parametrize("change", [{"name": "other"}, {"shape": [-1, 7]}], ids=["another name", "another shape"])
def test_graphs_without_what_every_request_needs_are_refused(
    copy: Path, half: str, kind: str, name: str, change: dict[str, Any]
) -> None:
    def without(manifest: dict) -> None:
        (tensor,) = [each for each in manifest[half][kind] if each["name"] == name]
        tensor.update(change)

    edit(copy, without)
    with pytest.raises(BundleError, match=f"encoder, decoder: have .*needed: .*'{name}'"):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("field", "entry", "count"), [("attributes", 0, 257), ("latents", 0, 257), ("conditions", "shape", 257)]
)
def test_lists_without_end_are_refused(copy: Path, field: str, entry: Any, count: int) -> None:
    edit(copy, lambda manifest: manifest.update({field: [manifest[field][entry] if entry == 0 else entry] * count}))
    with pytest.raises(BundleError, match=f"{field}: .*at most 256 items"):
        read_bundle(copy)


@pytest.mark.parametrize("code", [-1, 4])
def test_a_code_beyond_the_posterior_is_refused(tmp_path: Path, code: int) -> None:
    path = toy_bundle(tmp_path / "toy", kind="group")
    edit(path, lambda manifest: manifest["latents"][2].update(code=code))
    with pytest.raises(BundleError, match="lies beyond the posterior's 4 codes"):
        read_bundle(path)


def test_a_manifest_of_before_its_optional_fields_stays_valid(copy: Path) -> None:
    def as_before(manifest: dict) -> None:
        for name in ("conditions", "group"):
            del manifest[name]
        for attribute in manifest["attributes"]:
            del attribute["limits"]
        for part in manifest["latents"]:
            del part["code"]
        manifest["digest"] = digest(manifest)

    edit(copy, as_before)
    written = json.loads((copy / "manifest.json").read_text())
    bundle = read_bundle(copy)
    assert bundle.manifest.digest == written["digest"]
    assert (bundle.codebook.conditions, bundle.codebook.group) == ((), None)


def test_the_digest_covers_all_but_itself(copy: Path) -> None:
    written = json.loads((copy / "manifest.json").read_text())
    assert digest_of(written) == digest_of(written | {"digest": ""}) == digest(written)
    assert digest_of(written | {"name": "other"}) != digest(written)


@pytest.mark.parametrize(
    ("training", "scores"),
    [
        ({}, {}),
        ({"data": "none"}, {"mig": 1.0}),
        ({"seed": 1, "data": "a", "own": {"k": [1, None]}}, {"interval": "95 %", "own": 1, "scores": {}}),
        ({"init": {"init": "runs/first", "images": 3}}, {"scores": {"held out": {"mig": {"rows": 3, "mean": 1}}}}),
        ({"seed": "by chance", "init": 7}, {"scores": 0.9, "ceilings": {"shape": "high"}}),
    ],
)
def test_provenance_and_scores_are_written_back_as_they_were_read(
    tmp_path: Path, training: dict[str, Any], scores: dict[str, Any]
) -> None:
    path = toy_bundle(tmp_path / "toy", training=training, scores=scores)
    before = (path / "manifest.json").read_bytes()
    manifest = read_bundle(path).manifest
    assert json.dumps(manifest.training.model_dump()) == json.dumps(training)
    assert json.dumps(manifest.scores.model_dump()) == json.dumps(scores)
    seal(path, manifest)
    assert (path / "manifest.json").read_bytes() == before


def test_the_shipped_manifest_is_written_back_to_the_byte() -> None:
    written = (SHIPPED / "dsprites" / "manifest.json").read_text()
    assert Manifest.model_validate_json(written).model_dump_json(indent=1) + "\n" == written


def test_provenance_and_scores_are_typed() -> None:
    manifest = read_bundle(SHIPPED / "dsprites").manifest
    assert manifest.training.attributes == manifest.attributes
    assert manifest.training.settings["encoder"] == "patches"
    score = manifest.scores.scores["held out"]["accuracy.orientation"]
    assert (score.mean, score.rows) == (0.9622, 10_000)
    assert manifest.scores.ceilings["orientation"] == 0.9707


def test_what_a_bundle_does_not_know_has_a_default() -> None:
    assert Provenance.model_validate({"data": "none"}).attributes is None
    partly = Provenance.model_validate({"images": "many", "init": 7, "data": "mine"})
    assert (partly.images, partly.init, partly.data) == (0, None, "mine")
    assert Scores.model_validate({"mig": 1.0}).scores == {}


def test_stages_lead_from_the_first_run_to_the_last() -> None:
    third = Provenance.model_validate({"seed": 3, "init": {"seed": 2, "init": {"seed": 1, "init": "runs/gone"}}})
    assert [stage.seed for stage in third.stages] == [1, 2, 3]
