from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.processes import Process, ServerError
from benchmarks.protocols import JSON, Message
from benchmarks.servers import OURS, ROOT, SERVERS, CheckoutError, other_checkout

IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost"]


def checkout(folder: Path) -> Path:
    """A folder with a service that only ends, with an exit status that no other program has."""
    (folder / "service").mkdir(parents=True)
    (folder / "service" / "__init__.py").touch()
    (folder / "service" / "main.py").write_text("def serve(arguments):\n    print(*arguments)\n    return 41\n")
    return folder


def test_another_checkout_is_named_after_its_folder(tmp_path: Path) -> None:
    assert other_checkout(checkout(tmp_path / "before")).name == f"{OURS}@before"


def test_a_git_work_tree_is_named_after_its_commit(tmp_path: Path) -> None:
    tree = checkout(tmp_path / "before")
    git = ["git", "-C", str(tree), *IDENTITY]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "first"], check=True)
    commit = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True).strip()
    assert other_checkout(tree).name == f"{OURS}@{commit}"


def test_a_folder_without_the_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckoutError, match=r"service/main\.py"):
        other_checkout(tmp_path)


def test_the_code_of_the_other_checkout_is_run_with_the_same_arguments(tmp_path: Path) -> None:
    server = other_checkout(checkout(tmp_path / "before"))
    with (
        pytest.raises(ServerError, match=r"ended with 41\n--model /bundle --port \d+ --workers 2 --cache-bytes 0"),
        Process(server, Path("/bundle"), 2, Message("/decode", JSON, b"{}")),
    ):
        pass
    assert server.arguments is SERVERS[OURS].arguments
    assert SERVERS[OURS].checkout == ROOT
