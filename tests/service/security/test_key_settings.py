"""Keys and hosts as settings of a process: what it starts with, what it refuses, and what it tells."""

from __future__ import annotations

import json
import os
import re
import subprocess
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from tests.service.processes import running, start, url_of, wait_ready
from tests.support import ROOT

READER, KEEPER = "reader-0123456789abcdef", "keeper-0123456789abcdef"


@pytest.fixture
def bundle(bundles: Path) -> Path:
    return bundles / "grey"


def bash_blocks() -> list[str]:
    """The commands that docs/security.md shows: how a key is made, how it is sent."""
    return re.findall(r"^```bash\n(.*?)^```", (ROOT / "docs" / "security.md").read_text(), re.M | re.S)


def test_a_key_is_made_written_down_as_a_digest_and_used_as_documented(bundle: Path, tmp_path: Path):
    made, asked = bash_blocks()
    command = f'{made}\nprintf %s "$key"'
    key = subprocess.run(["bash", "-ec", command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    with running(bundle, "--api-keys-file", str(tmp_path / "keys")) as service:
        assert key not in (tmp_path / "keys").read_text()
        command = asked.replace("http://127.0.0.1:8000", service.url)
        answer = subprocess.run(
            ["bash", "-ec", command], env={**os.environ, "key": key}, capture_output=True, text=True
        )
        assert json.loads(answer.stdout)["default"] == "grey"
        assert httpx2.get(f"{service.url}/models").status_code == 401


@pytest.mark.parametrize("shell", [["bash"], ["bash", "-e"], ["bash", "--norc", "-i"], ["sh"]], ids=" ".join)
@pytest.mark.parametrize("before", ["unset key", "key="])
def test_the_documented_recipe_writes_no_digest_of_an_empty_key(tmp_path: Path, before: str, shell: list[str]):
    recipe, _ = bash_blocks()
    _, write, _ = recipe.splitlines()
    ended = subprocess.run(
        shell,
        input=f"{before}\n{write}\n",
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        start_new_session=True,  # an interactive shell takes the terminal otherwise
    )
    assert "key: is empty" in ended.stderr
    assert not (tmp_path / "keys").exists()


def test_no_key_is_logged(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPRITEVAE_API_KEYS", READER)
    process = start("--model", str(bundle), "--port", "0", "--log-level", "debug", "--drain-seconds", "0")
    try:
        url = url_of(process)
        wait_ready(url)
        for key, expected in ((READER, 200), ("wrong-0123456789", 401)):
            answers = [
                httpx2.get(f"{url}/decode", headers={"X-API-Key": key}),
                httpx2.get(f"{url}/decode", headers={"Authorization": f"Bearer {key}"}),
            ]
            assert [answer.status_code for answer in answers] == [expected, expected]
            assert not any(key in answer.text for answer in answers)
    finally:
        process.terminate()
    _, logged = process.communicate(timeout=60)
    assert '"status": 401' in logged
    assert READER not in logged
    assert "wrong-0123456789" not in logged


@pytest.mark.parametrize(
    ("flags", "environment", "message"),
    [
        ([], "too-short-a-key", "SPRITEVAE_API_KEYS, key 1: is no key; accepts KEY, KEY:read or KEY:admin"),
        ([], "", "SPRITEVAE_API_KEYS: holds no key"),
        ([], f"sha256:{sha256(b'').hexdigest()}", "SPRITEVAE_API_KEYS, key 1: is the digest of an empty key"),
        (["--api-keys-file", "/nowhere"], None, "/nowhere: can't be read"),
        (["--api-keys-file", ""], None, "can't be read"),
        (["--api-keys", READER], None, "every user of this machine can see flags"),
        ([f"--api-keys={READER}"], None, "every user of this machine can see flags"),
        (["--admin"], None, "admin needs an API key of scope admin"),
        (["--admin"], READER, "admin needs an API key of scope admin"),
        (["--allowed-hosts", "localhost:8000"], None, "--allowed-hosts: accepts names and addresses without a port"),
        (["--cors-origins", "https://a.example/"], None, "--cors-origins: accepts origins like https://example.com"),
    ],
)
def test_what_would_leave_it_open_or_shut_is_refused_at_start(
    flags: list[str], environment: str | None, message: str, monkeypatch: pytest.MonkeyPatch
):
    if environment is not None:
        monkeypatch.setenv("SPRITEVAE_API_KEYS", environment)
    process = start("--port", "0", *flags)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert message in said
    assert READER not in said
    assert not environment or environment not in said


def test_a_file_that_all_can_read_is_warned_of(bundle: Path, tmp_path: Path):
    file = tmp_path / "keys"
    file.write_text(READER)
    file.chmod(0o644)
    process = start("--model", str(bundle), "--port", "0", "--api-keys-file", str(file))
    try:
        assert process.stderr
        first = process.stderr.readline()
        assert "every user of this machine can read the API keys" in first
        assert READER not in first
    finally:
        process.kill()
        process.communicate()


def test_workers_know_the_keys_that_there_were_at_the_start(bundle: Path, tmp_path: Path):
    file = tmp_path / "keys"
    file.write_text(READER)
    with running(bundle, "--workers", "2", "--api-keys-file", str(file)) as service:
        file.unlink()
        for key, expected in ((READER, 200), (KEEPER, 401)):
            statuses = {httpx2.get(f"{service.url}/models", headers={"X-API-Key": key}).status_code for _ in range(8)}
            assert statuses == {expected}
