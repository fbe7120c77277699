"""Every preset of the registry is put through the whole path, so that a new one is tested by existing."""

import base64
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from export.bundle import read_bundle
from export.manifest import Manifest
from service.app import create_app
from service.settings import Settings
from spritevae import load
from spritevae.__main__ import main
from tests.service.toys import wait_until_ready
from tests.support import train
from training import presets
from training.inference import TorchAutoencoder, image_tensor
from training.latents import Evidence, Targets
from training.losses import ForwardOutput
from training.model import VAE, StepNoise
from training.schedules import Progress, at

# Which presets `make test` puts through the whole path; `make test-all` tests all of them.
QUICK = ("conditional", "multi_level", "softmax")
# Presets of which some codes get no gradient.
CUT = {"multi_level_detached": "the class's codes, as published"}


def each_preset() -> list[object]:
    """All presets, most of them marked as slow."""
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in presets.names()]


def forward(model: VAE) -> ForwardOutput:
    """A training pass over 40 images of all shapes, half of them labelled."""
    from training.data.dsprites import RenderedDSprites

    batch = RenderedDSprites().batch(np.arange(0, 737_280, 18_500))
    known = torch.from_numpy(batch.known).float() * (torch.arange(len(batch.known)) % 2)[:, None]
    targets = Targets(torch.from_numpy(batch.targets), known)
    result: ForwardOutput = model(image_tensor(batch.images), targets, StepNoise(0, 0), Progress(50, 100))
    return result


@pytest.mark.parametrize("name", presets.names())
def test_every_parameter_of_a_preset_gets_a_gradient(name: str) -> None:
    """Every output of the heads and every other parameter tensor. Excepted are those of ``CUT``, and the adversary's,
    which has an optimizer of its own."""
    from training.data.dsprites import ATTRIBUTES

    torch.manual_seed(0)
    model = VAE(presets.find(name)(), ATTRIBUTES, (64, 64, 1))
    output = forward(model)
    torch.stack([at(loss.weight, output.progress) * loss(output) for loss in model.recipe.losses]).sum().backward()
    without = [
        key
        for key, value in model.named_parameters()
        if not key.startswith("adversary.") and (value.grad is None or not value.grad.any())
    ]
    assert without == []
    heads = model.space.heads
    assert heads is not None
    silent = (heads.weight.grad == 0).all(dim=1) & (heads.bias.grad == 0)
    assert int(silent.sum()) == (2 * model.space.of(Evidence)[0].codes if name in CUT else 0)


@pytest.mark.parametrize("name", presets.names())
def test_decoding_what_was_encoded_is_the_model_s_own_reconstruction(name: str) -> None:
    from training.data.dsprites import ATTRIBUTES, RenderedDSprites

    torch.manual_seed(0)
    model = VAE(presets.find(name)(), ATTRIBUTES, (64, 64, 1)).eval()
    autoencoder, images = TorchAutoencoder(model), RenderedDSprites().batch(np.arange(0, 737_280, 100_000)).images
    with torch.no_grad():
        q = model.posterior(image_tensor(images), model.no_targets(image_tensor(images)))
        own = torch.sigmoid(model.decoder(model.space.point(q))).permute(0, 2, 3, 1)
    np.testing.assert_allclose(autoencoder.decode(autoencoder.encode(images).z), own, atol=1e-6)


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_where_it_comes_from_and_what_to_expect(name: str) -> None:
    text = presets.describe(name)
    for field in ("Source: ", "Data: ", f"Command: ``spritevae train {name} ", "Expected: ", "Differs from it: "):
        assert field in text


@contextmanager
def interrupted_while(condition: Callable[[], bool]) -> Iterator[None]:
    """Send SIGINT again and again while a condition holds. Training takes the first one; the others are ignored."""
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.01):
            if condition():
                os.kill(os.getpid(), signal.SIGINT)

    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()
        signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize("name", each_preset())
def test_a_folder_of_rgb_sprites_trains_resumes_evaluates_exports_and_serves(
    name: str, sprites: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    """36 x 44 RGB, a nominal, an ordinal, a circular and a continuous attribute, and missing cells."""
    run, bundle = tmp_path / "run", tmp_path / "hero"
    command = ["train", name, "--data", str(sprites), "--attribute", "hue=circular:12:period=12", "--run", str(run)]
    command += ["--threads", "1", "--set", f"images={16000 if name == 'softmax' else 1600}", "batch_size=64"]
    with interrupted_while(run.exists):
        assert main(command) == 130
    assert main(command) == 0
    kept = json.loads((run / "params.json").read_text())["attributes"]
    assert [(a["name"], a["kind"], a["size"]) for a in kept] == [
        ("body", "nominal", 2), ("level", "ordinal", 5), ("hue", "circular", 12), ("glow", "continuous", 1),
    ]  # fmt: skip

    assert main(["evaluate", str(run)]) == 0
    scores = json.loads((run / "evaluation.json").read_text())["scores"]["unseen combinations"]
    assert scores["reconstruction.bce"]["mean"] > 0
    if name == "softmax":
        assert scores["accuracy.body"]["mean"] > 0.8  # chance is 0.5
        assert scores["accuracy.level"]["mean"] > 0.5  # chance is 0.2
        assert scores["error.glow"]["mean"] < 0.25  # a constant guess of the middle is 0.25 off

    assert main(["export", str(run), "-o", str(bundle)]) == 0
    manifest = read_bundle(bundle).manifest
    assert manifest.image.shape == (44, 36, 3)
    assert manifest.system == name
    trained, exported = load(run), load(bundle)
    image = trained.decode()
    assert image.shape == (44, 36, 3)
    np.testing.assert_allclose(exported.decode(), image, atol=1e-4)
    np.testing.assert_allclose(exported.reconstruct(image), trained.reconstruct(image), atol=1e-4)

    with TestClient(create_app(Settings(_env_file=None, model=(str(bundle),)))) as client:
        wait_until_ready(client)
        serves(client, manifest)


def serves(client: TestClient, manifest: Manifest) -> None:
    """Every attribute can be decoded and walked, what comes back from /encode is accepted, an edit can be made."""
    one = manifest.attributes[0]
    value = one.labels[-1] if one.labels else one.bounds[0]
    answer = client.post("/decode", json={"attributes": {one.name: value}})
    assert answer.status_code == 200
    encoded = client.post("/encode", content=answer.content, headers={"Content-Type": "image/png"}).json()
    item = encoded["items"][0]
    assert list(item["attributes"]) == [attribute.name for attribute in manifest.attributes]
    assert item["converted"] == []
    assert client.post("/decode", json={"attributes": item["attributes"]}).status_code == 200
    again = client.post("/decode", json={"z": item["z"]}, headers={"Accept": "application/x-npy"})
    image = base64.b64encode(answer.content).decode()
    kept = client.post("/edit", json={"image": image}, headers={"Accept": "application/x-npy"})
    assert kept.content == again.content, "an edit that changes nothing is the reconstruction"
    assert client.post("/edit", json={"image": image, "set": {one.name: value}}).status_code == 200
    walk = {"from": {"image": image}, "to": {one.name: value}, "steps": 5}
    assert client.post("/interpolate", json=walk).status_code == 200
    classes = {"class": {"images": [image, image]}, "style": {"image": image}}
    expected = 200 if manifest.group or manifest.conditions else 422
    assert client.post("/recombine", json=classes).status_code == expected
    grouped = client.post("/encode?group=true", content=answer.content, headers={"Content-Type": "image/png"})
    assert grouped.status_code == (200 if manifest.group else 422)
    for name in manifest.conditions:
        told = client.post(
            f"/encode?given={name}:{value}", content=answer.content, headers={"Content-Type": "image/png"}
        )
        assert told.json()["items"][0]["attributes"][name]["confidence"] == 1


def test_an_unknown_preset_lists_what_there_is() -> None:
    with pytest.raises(presets.PresetError, match=r"there is: .*softmax"):
        presets.find("sofmax")


def test_an_unknown_setting_lists_what_there_is() -> None:
    with pytest.raises(presets.PresetError, match=r"no setting 'beta'; it has: images=\d+"):
        presets.settings("softmax", {"beta": 8})


def test_settings_keep_the_type_of_their_default() -> None:
    chosen = presets.settings("softmax", {"images": "2e6", "learning_rate": "1"})
    assert chosen["images"] == 2_000_000
    assert isinstance(chosen["images"], int)
    assert isinstance(chosen["learning_rate"], float)


@pytest.mark.parametrize(
    ("preset", "earlier", "current"),
    [
        ("softmax", {"between_share": "0.5"}, {"off_grid_share": 0.5}),
        ("softmax", {"round_trip_share": "0.25"}, {"cycle_share": 0.25}),
        ("conditional", {"condition": "shape,scale"}, {"label": "shape,scale"}),
    ],
)
def test_a_setting_is_accepted_under_its_earlier_name(preset: str, earlier: dict, current: dict) -> None:
    assert presets.settings(preset, earlier) == presets.settings(preset, current)


@pytest.mark.parametrize("value", ["many", "1.5", "nan", "1e400"])
def test_a_setting_that_is_no_such_number_is_refused(value: str) -> None:
    with pytest.raises(presets.PresetError, match="images takes a"):
        presets.settings("softmax", {"images": value})


def test_two_runs_with_the_same_seed_end_with_the_same_weights(tmp_path: Path) -> None:
    a = train(tmp_path / "a", "--data", "dsprites", images=128).load().state_dict()
    b = train(tmp_path / "b", "--data", "dsprites", images=128).load().state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
