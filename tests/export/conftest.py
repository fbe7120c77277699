"""A copy of a bundle that a test may damage, and files that are damaged and sealed."""

import hashlib
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from export.manifest import Manifest


@pytest.fixture
def copy(small_bundle: tuple[Path, Manifest], tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle[0], tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict], None]) -> None:
    """Change the JSON of a bundle's manifest."""
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


def digest(content: dict) -> str:
    """As the manifest's format says: sha256 of the canonical JSON without the digest."""
    content = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def replace_sealed(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file of a bundle, and have the manifest list it so, whatever ``seal`` would say to it."""
    content = change((path / name).read_bytes())
    (path / name).write_bytes(content)

    def list_it(manifest: dict) -> None:
        manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        manifest["digest"] = digest(manifest)

    edit(path, list_it)


def other_compression(content: bytes) -> bytes:
    """An npz whose members are compressed as no library knows: zipfile raises NotImplementedError."""
    return _with_fields(content, 8, 10, 97)


def encrypted(content: bytes) -> bytes:
    """An npz whose members say that they are encrypted: zipfile raises RuntimeError."""
    return _with_fields(content, 6, 8, 1)


def no_zip(content: bytes) -> bytes:
    """What is no npz at all."""
    return b"?" * len(content)


def truncated(content: bytes) -> bytes:
    """An npz whose last bytes, and with them the directory of the zip, are missing."""
    return content[:-100]


NPZ_DAMAGE = [other_compression, encrypted, no_zip, truncated]


def _with_fields(content: bytes, local: int, central: int, value: int) -> bytes:
    """A zip with two bytes changed in the local and the central header of each member."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\3\4", local), (b"PK\1\2", central)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            struct.pack_into("<H", changed, at + offset, value)
    return bytes(changed)
