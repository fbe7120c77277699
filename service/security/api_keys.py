"""API keys: read from text, kept as digests, and compared in constant time."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import NamedTuple

ACCEPTED = (
    "KEY, KEY:read or KEY:admin, with KEY being 16 or more of A-Z a-z 0-9 - . _ ~ + / =, "
    "or sha256: and the 64 hexadecimal digits of its SHA-256"
)
_ENTRY = re.compile(r"(sha256:(?P<digest>[0-9a-fA-F]{64})|(?P<plain>[A-Za-z0-9._~+/=-]{16,}))(:(?P<scope>read|admin))?")


class Key(NamedTuple):
    """A key: its SHA-256, whether its scope is admin, and whether it was given as plain text."""

    digest: bytes
    admin: bool
    plain: bool


def parse(texts: Mapping[str, str]) -> list[Key]:
    """The keys of texts, each by its source. Commas or line ends separate keys; ``#`` begins a comment.

    Raises ValueError, which tells no key, for what is none, for the digest of an empty key, for a text without any, and
    for a key that is there twice.
    """
    found: list[Key] = []
    for where, text in texts.items():
        if not (entries := list(_entries(text))):
            raise ValueError(f"{where}: holds no key; accepts one or more: {ACCEPTED}")
        for number, entry in enumerate(entries, 1):
            key = _key(entry, f"{where}, key {number}")
            if any(key.digest == other.digest for other in found):
                raise ValueError(f"{where}, key {number}: is there twice")
            found.append(key)
    return found


def _entries(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for entry in line.partition("#")[0].split(","):
            if entry.strip():
                yield entry.strip()


def _key(entry: str, where: str) -> Key:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(f"{where}: is no key; accepts {ACCEPTED}")
    plain = found["plain"]
    digest = _digest(plain.encode()) if plain else bytes.fromhex(found["digest"])
    if digest == _digest(b""):
        raise ValueError(f"{where}: is the digest of an empty key, as of a variable that is not set")
    return Key(digest, found["scope"] == "admin", bool(plain))


def read(path: Path) -> str:
    """The text of a file; raises ValueError if it can't be read."""
    try:
        return path.read_text("ascii")
    except OSError as error:
        raise ValueError(f"{path}: can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no ASCII text; accepts lines of {ACCEPTED}") from None


def exposed(path: Path) -> bool:
    """Whether every user of the machine can read plain keys in a file."""
    readable = path.stat().st_mode & stat.S_IROTH
    return bool(readable) and any(key.plain for key in parse({str(path): read(path)}))


def find(keys: Sequence[Key], given: bytes) -> Key | None:
    """The key that a client sent, if it is one of ``keys``. It is compared with all of them, in constant time.

    An empty one, which is that of requests without a key, is none of them.
    """
    if not given:
        return None
    digest, found = _digest(given), None
    for key in keys:
        if compare_digest(key.digest, digest):
            found = key
    return found


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
