from __future__ import annotations

import gc
import weakref
from pathlib import Path

import anyio
import numpy as np
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.inference.model import Model
from service.inference.repository import ModelRepository
from service.openinference.interfaces import find
from service.settings import Settings
from tests.service.openinference.asking import infer, outputs_of, problem_of, tensor
from tests.service.toys import pixels_of, toy_bundle, wait_until_ready

ALL = ("grey", "colour", "alpha", "codes", "conditional", "group")


@pytest.mark.parametrize("path", ["", "/ready", "/config", "/stats"])
def test_a_model_has_one_version_which_its_digest_names_too(client: TestClient, path: str):
    digest = client.get("/models/grey").json()["digest"]
    whole = client.get(f"/v2/models/grey.encoder{path}")
    assert whole.status_code == 200
    for version in ("1", digest[:12]):
        response = client.get(f"/v2/models/grey.encoder/versions/{version}{path}")
        assert response.status_code == 200
        assert response.json() == whole.json()
    for version in ("2", "01", digest, "x" * 500):
        message = problem_of(client.get(f"/v2/models/grey.encoder/versions/{version}{path}"), 404)
        assert message.startswith(f"no version '{version[:60]}")
        assert message.endswith("of grey.encoder; there is '1'")


@pytest.mark.parametrize("name", ["nope", "grey.encode", ".encoder", "grey.encoder.encoder", "x" * 500])
def test_an_unknown_model_is_a_404_that_lists_what_there_is(client: TestClient, name: str):
    for response in (client.get(f"/v2/models/{name}"), client.get(f"/v2/models/{name}/ready"), infer(client, name)):
        message = problem_of(response, 404)
        assert message.startswith(f"no model {name[:80]!r}; there is grey, grey.encoder, grey.decoder, colour")


def test_a_bundle_may_be_named_like_a_part_of_another(tmp_path: Path):
    models = tuple(str(toy_bundle(tmp_path / name, kind)) for name, kind in (("a", "codes"), ("a.encoder", "onehot")))
    with TestClient(create_app(Settings(_env_file=None, model=models, device="cpu"))) as client:
        wait_until_ready(client)
        assert client.get("/v2/models/a.encoder").json()["inputs"][0]["name"] == "weights"
        assert client.get("/v2/models/a.encoder.encoder").json()["outputs"][0]["shape"] == [-1, 81]
        assert client.get("/v2/models/a.decoder").json()["inputs"][0]["shape"] == [-1, 5]


@pytest.mark.parametrize("name", ALL)
def test_the_weights_that_an_encoder_gives_are_drawn(client: TestClient, name: str):
    """Also those of images that lie far from all that a model was trained on."""
    _, channels, height, width = client.get(f"/v2/models/{name}.encoder").json()["inputs"][0]["shape"]
    draw = np.random.default_rng(0)
    for image in (draw.random((8, channels, height, width)), np.ones((1, channels, height, width))):
        weights = outputs_of(infer(client, f"{name}.encoder", tensor("image", image)))["weights"]
        drawn = outputs_of(infer(client, name, tensor("weights", weights)))["image"]
        assert drawn.shape == (len(image), height, width, channels)


@pytest.mark.parametrize("name", ["grey", "codes", "conditional", "group"])
def test_a_model_draws_weights_as_decode_draws_values(client: TestClient, name: str):
    """The default values, with the weights that they stand for."""
    model = client.app.service.repository.engine(name).model  # type: ignore[attr-defined]
    weights = model.attributes.weights({})[None]
    drawn = outputs_of(infer(client, name, tensor("weights", weights)))["image"]
    decoded = client.post(f"/decode?model={name}", json={"attributes": {}}, headers={"Accept": "application/x-npy"})
    np.testing.assert_array_equal(drawn.reshape(1, -1), 255 * pixels_of(decoded))


def test_a_model_that_is_no_longer_served_is_let_go(bundles: Path):
    store = ModelRepository(Settings(_env_file=None, model=(str(bundles / "conditional"),), device="cpu"))
    anyio.run(store.load)
    for part in ("", ".encoder", ".decoder"):
        engine, _ = find(store, f"conditional{part}", None)
    gone = weakref.ref(engine.model)
    assert isinstance(gone(), Model)
    del store, engine
    gc.collect()
    assert gone() is None
