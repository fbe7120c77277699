from __future__ import annotations

import os
from pathlib import Path

import pytest

from service import environment

LINKS = {
    "SPRITEVAE_PORT": "tcp://10.0.0.1:8000",
    "SPRITEVAE_THREADS": "udp://[fd00::a]:53",
    "SPRITEVAE_MODEL": "sctp://10.0.0.1:9",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_only_what_has_the_form_of_a_service_link_is_one(monkeypatch: pytest.MonkeyPatch):
    settings = {"SPRITEVAE_HOST": "10.0.0.1", "SPRITEVAE_UDS": "/tmp/tcp://", "SPRITEVAE_FD": "80x", "EMPTY": None}
    others = {"SPRITEVAE_CORS_ORIGINS": "http://localhost:3000", "SPRITEVAE_ROOT_PATH": "tcp://10.0.0.1"}
    assert environment.without_service_links(LINKS | settings | others) == settings | others
    for name, value in (LINKS | {"SPRITEVAE_HOST": "10.0.0.1", "SPRITEVAE_PORT_8000_TCP": "tcp://10.0.0.1:80"}).items():
        monkeypatch.setenv(name, value)
    assert environment.service_links(["port", "threads", "model", "host"]) == sorted(LINKS)


def test_a_setting_comes_from_its_flag_its_variable_or_its_line(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SPRITEVAE_MAX_QUEUE", raising=False)
    assert environment.source("max_queue", []) == "--max-queue"
    (folder / ".env").write_text("# a comment\nFOREIGN=1\nexport SPRITEVAE_MAX_QUEUE = 2\n")
    assert environment.source("max_queue", []) == ".env, line 3: SPRITEVAE_MAX_QUEUE"
    monkeypatch.setenv("SPRITEVAE_MAX_QUEUE", "tcp://10.0.0.1:80")
    assert environment.source("max_queue", []) == ".env, line 3: SPRITEVAE_MAX_QUEUE"
    monkeypatch.setenv("SPRITEVAE_MAX_QUEUE", "3")
    assert environment.source("max_queue", ["--port", "1"]) == "SPRITEVAE_MAX_QUEUE"
    assert environment.source("max_queue", ["--max-queue=4"]) == "--max-queue"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"FOREIGN\nOTHER program's = 'text\n# SPRITEVAE_PORT\n",
        b"\xef\xbb\xbfSPRITEVAE_PORT=1\r\nX='gr\xc3\xb6\xc3\x9fe'",
    ],
)
def test_what_is_for_other_programs_does_not_matter(folder: Path, content: bytes):
    (folder / ".env").write_bytes(content)
    environment.check_env_file()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"A=1\n# gr\xf6\xdfe\n", "line 2: byte 0xf6 is no UTF-8; accepts UTF-8"),
        ("SPRITEVAE_PORT=1\n".encode("utf-16"), "line 1: byte 0xff is no UTF-8; accepts UTF-8"),
        (b"A=1\n\nSPRITEVAE_PORT: 80\n", "line 3: accepts SPRITEVAE_PORT=VALUE"),
    ],
)
def test_a_file_that_is_damaged_is_named_with_its_line(folder: Path, content: bytes, told: str):
    (folder / ".env").write_bytes(content)
    with pytest.raises(ValueError, match="env") as error:
        environment.check_env_file()
    assert str(error.value) == f"{folder / '.env'}, {told}"


def test_a_folder_is_refused_unless_it_is_a_virtual_environment(folder: Path):
    (folder / ".env").mkdir()
    with pytest.raises(ValueError, match=r"\.env: is a folder; accepts a file of NAME=VALUE lines"):
        environment.check_env_file()
    (folder / ".env" / "pyvenv.cfg").touch()
    environment.check_env_file()


def test_a_file_that_may_not_be_read_is_named(folder: Path):
    (folder / ".env").touch(mode=0)
    folder.chmod(0o755)
    user = os.geteuid()
    if user == 0:  # who may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(ValueError, match=r"\.env: can't be read \(Permission denied\)"):
            environment.check_env_file()
    finally:
        os.seteuid(user)


def test_what_the_file_sets_is_told_by_name_only(folder: Path):
    assert environment.env_file_settings() == []
    (folder / ".env").write_text("OTHER=1\nexport spritevae_port=80\nSPRITEVAE_API_KEYS=secret\nSPRITEVAE_PORT=81\n")
    assert environment.env_file_settings() == ["SPRITEVAE_API_KEYS", "SPRITEVAE_PORT"]


def test_a_pipe_is_left_to_be_read_once(folder: Path):
    os.mkfifo(folder / ".env")
    environment.check_env_file()
