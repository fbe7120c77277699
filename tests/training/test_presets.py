"""Every preset of the registry is put through the whole path, so that a new one is tested by existing."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from export.bundle import read_bundle
from service.app import create_app
from service.settings import Settings
from spritevae import load
from spritevae.__main__ import main
from tests.service.toys import wait_until_ready
from tests.support import train
from training import presets
from training.model import VAE, Noise
from training.runs import Run


@pytest.mark.parametrize("name", presets.names())
def test_every_parameter_of_a_preset_gets_a_gradient(name: str) -> None:
    from training.data.dsprites import ATTRIBUTES, RenderedDSprites

    torch.manual_seed(0)
    model = VAE(presets.find(name)(), ATTRIBUTES, (64, 64, 1))
    batch = RenderedDSprites().batch(np.arange(0, 737_280, 40_000))
    images = torch.from_numpy(batch.images).permute(0, 3, 1, 2).float() / 255
    passed = model(images, torch.from_numpy(batch.targets), torch.from_numpy(batch.known).float(), Noise(0, 0))
    sum(term.weight * term(passed) for term in model.recipe.terms).backward()
    without = [key for key, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []


@pytest.mark.parametrize("name", presets.names())
def test_a_folder_of_rgb_sprites_trains_resumes_evaluates_exports_and_serves(
    name: str, sprites: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    """36 x 44 RGB, a nominal, an ordinal, a circular and a continuous attribute, and missing cells."""
    run, bundle = tmp_path / "run", tmp_path / "hero"
    command = ["train", name, "--data", str(sprites), "--attribute", "hue=circular:12:period=12", "--run", str(run)]
    command += ["--threads", "1", "--set", "images=16000", "batch_size=64"]
    previous = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.8)
    assert main(command) in (0, 130)
    signal.signal(signal.SIGALRM, previous)
    assert main(command) == 0
    kept = json.loads((run / "params.json").read_text())["attributes"]
    assert [(a["name"], a["kind"], a["size"]) for a in kept] == [
        ("body", "nominal", 2), ("level", "ordinal", 5), ("hue", "circular", 12), ("glow", "continuous", 1),
    ]  # fmt: skip

    assert main(["evaluate", str(run)]) == 0
    scores = json.loads((run / "evaluation.json").read_text())["scores"]["held out"]
    assert scores["accuracy.body"]["mean"] > 0.8  # chance is 0.5
    assert scores["accuracy.level"]["mean"] > 0.5  # chance is 0.2
    assert scores["error.glow"]["mean"] < 0.25  # a constant guess of the middle is 0.25 off

    assert main(["export", str(run), "-o", str(bundle)]) == 0
    assert read_bundle(bundle).manifest.image.shape == (44, 36, 3)
    trained, exported = load(run), load(bundle)
    image = trained.decode(body="round", level=3, hue=11.5, glow=0.7)
    assert image.shape == (44, 36, 3)
    np.testing.assert_allclose(exported.decode(body="round", level=3, hue=-0.5, glow=0.7), image, atol=1e-4)
    np.testing.assert_allclose(exported.reconstruct(image), trained.reconstruct(image), atol=1e-4)

    with TestClient(create_app(Settings(_env_file=None, model=(str(bundle),)))) as client:
        wait_until_ready(client)
        answer = client.post("/decode", json={"attributes": {"body": "wide", "level": 1.5, "hue": 30, "glow": 0.2}})
        assert answer.status_code == 200
        encoded = client.post("/encode", content=answer.content, headers={"Content-Type": "image/png"}).json()
        attributes = encoded["items"][0]["attributes"]
        assert list(attributes) == ["body", "level", "hue", "glow"]
        assert client.post("/decode", json={"attributes": attributes}).status_code == 200
        assert encoded["items"][0]["converted"] == []


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


@pytest.mark.parametrize("value", ["many", "1.5", "nan", "1e400"])
def test_a_setting_that_is_no_such_number_is_refused(value: str) -> None:
    with pytest.raises(presets.PresetError, match="images takes a"):
        presets.settings("softmax", {"images": value})


def test_the_label_share_decodes_from_labels_alone(small_run: Run) -> None:
    model = small_run.load()
    object.__setattr__(model.recipe, "label_share", 1.0)
    batch = small_run.source().batch(np.arange(5))
    images = torch.rand(5, 1, 64, 64)
    targets, known = torch.from_numpy(batch.targets), torch.from_numpy(batch.known).float()
    logits = model(images, targets, known, Noise(0, 0)).logits
    torch.testing.assert_close(logits, model.decoder(model.latent.place(targets)))


def test_two_runs_with_the_same_seed_end_with_the_same_weights(tmp_path: Path) -> None:
    a = train(tmp_path / "a", "--data", "dsprites", images=128).load().state_dict()
    b = train(tmp_path / "b", "--data", "dsprites", images=128).load().state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
