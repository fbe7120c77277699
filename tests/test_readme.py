"""Every command of the README is run, as it stands there."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference.repository import SHIPPED
from spritevae import load
from tests.image.check import HARDENED
from tests.support import ROOT, write_sprites

README = (ROOT / "README.md").read_text()


def blocks(language: str, heading: str) -> list[str]:
    """Code blocks of a language in one section."""
    section = re.split(r"^## ", README, flags=re.MULTILINE)
    found = next(text for text in section if text.startswith(heading))
    return re.findall(rf"^```{language}\n(.*?)^```", found, re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path) -> str:
    """A command in a shell, with this environment's programs where the README says .venv/bin."""
    command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    done = subprocess.run(["bash", "-ec", command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def serving(command: str, folder: Path, port: int, patience: float = 60) -> Iterator[None]:
    """A server that the README starts, until it is ready; ended with its children."""
    command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            pytest.fail(f"port {port}, which the README's commands use, is taken")
    process = subprocess.Popen(["bash", "-c", command], cwd=folder, start_new_session=True)
    try:
        deadline = time.monotonic() + patience
        while True:
            assert process.poll() is None, f"{command}: ended with {process.returncode}"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready").close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"{command}: not ready"
                time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def test_the_curls_encode_decode_and_interpolate(tmp_path: Path) -> None:
    decode, encode, interpolate = blocks("bash", "Ask it")
    with serving(".venv/bin/spritevae serve", ROOT, 8000):
        run(decode, tmp_path)
        assert '"label":"heart"' in run(encode, tmp_path).replace(" ", "")
        run(interpolate, tmp_path)
    with Image.open(tmp_path / "heart.png") as heart, Image.open(tmp_path / "walk.png") as walk:
        assert heart.size == walk.size == (64, 64)
        assert walk.n_frames == 24


def test_the_picture_is_what_the_model_draws() -> None:
    values = json.loads((ROOT / "docs" / "sprites.json").read_text())["attributes"]
    drawn = load(SHIPPED / "dsprites", device="cpu").decode(values)[..., 0].reshape(3, 12, 64, 64)
    with Image.open(ROOT / "docs" / "sprites.png") as picture:
        shown = np.asarray(picture.convert("L"), np.float64) / 255
    assert np.abs(shown - drawn.swapaxes(1, 2).reshape(3 * 64, 12 * 64)).max() < 0.01


def test_the_python_example_runs() -> None:
    (example,) = blocks("python", "Ask it")
    shown = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "heart" in shown


def test_the_example_of_a_triton_client_reads_a_square_and_draws_it() -> None:
    (example,) = blocks("python", "From KServe")
    with serving(".venv/bin/spritevae serve", ROOT, 8000):
        shown = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=True).stdout
    square, same = re.findall(r"[\d.]*\d[\d.]*", shown)[0], float(shown.split()[-1])
    assert float(square) > 0.9
    assert same > 0.99


def test_others_use_it_with_a_key(tmp_path: Path) -> None:
    (command,) = blocks("bash", "Let others")
    with_key = command.replace("\n", f'\nprintf %s "$SPRITEVAE_API_KEYS" > {tmp_path}/key\n', 1)
    with serving(with_key, ROOT, 8020):
        models = urllib.request.Request("http://127.0.0.1:8020/models")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(models)
        models.add_header("Authorization", f"Bearer {(tmp_path / 'key').read_text()}")
        assert json.load(urllib.request.urlopen(models))["default"] == "dsprites"


def test_the_scores_are_printed_by_the_command(tmp_path: Path) -> None:
    (command,) = blocks("bash", "How good")
    command = command.replace("service/", f"{ROOT}/service/").strip()
    assert "accuracy.orientation.merged" in run(f"{command} --rows 200", tmp_path)


def test_every_target_of_make_is_there() -> None:
    commands = re.findall(r"^make (\S+)", "\n".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL)), re.MULTILINE)
    assert set(commands) == {"serve", "test", "training", "image-test"}
    for target in commands:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_image_is_run_with_the_flags_that_its_test_tries() -> None:
    (block,) = blocks("bash", "Deploy")
    assert f" {HARDENED} " in re.sub(r"\\\n\s*", "", block)


@pytest.mark.slow
def test_own_sprites_are_inspected_trained_on_exported_and_served_in_five_commands(tmp_path: Path) -> None:
    """The first one, ``make training``, sets up the environment that this test runs in."""
    (block,) = blocks("bash", "Train on your own")
    setup, inspect, train, export, serve = block.strip().splitlines()
    assert setup == "make training"
    write_sprites(tmp_path / "my-sprites", 400)
    assert "400 images of 36 x 44 pixels" in run(inspect, tmp_path)
    run(train, tmp_path)
    run(export, tmp_path)
    with (
        serving(f"{serve} --port 8010", tmp_path, 8010),
        urllib.request.urlopen("http://127.0.0.1:8010/decode?body=round&hue=3.5") as answer,
    ):
        (tmp_path / "sprite.png").write_bytes(answer.read())
    with Image.open(tmp_path / "sprite.png") as sprite:
        assert (sprite.mode, sprite.size) == ("RGB", (36, 44))


@pytest.mark.slow
def test_make_serve_works_in_a_fresh_clone(tmp_path: Path) -> None:
    """Set-up included, which takes its packages from the package index."""
    subprocess.run(["git", "clone", "-q", ROOT, tmp_path / "clone"], check=True)
    with serving("make serve", tmp_path / "clone", 8000, patience=600):
        decode, encode, _ = blocks("bash", "Ask it")
        run(decode, tmp_path)
        assert "heart" in run(encode, tmp_path)
