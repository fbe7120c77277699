from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from service.security import api_keys

READER, KEEPER = "reader-0123456789", "keeper-0123456789"
DIGEST = hashlib.sha256(READER.encode()).hexdigest()


def scopes(text: str) -> list[tuple[str, bool]]:
    """Digests and scopes of the keys in a text."""
    return [(key.digest.hex(), key.admin) for key in api_keys.parse({"here": text})]


def test_a_key_reads_unless_it_is_said_to_administer():
    assert scopes(f"{READER},{KEEPER}:admin") == [
        (DIGEST, False),
        (hashlib.sha256(KEEPER.encode()).hexdigest(), True),
    ]
    assert scopes(f"{READER}:read") == [(DIGEST, False)]


def test_a_digest_stands_for_its_key():
    assert scopes(f"sha256:{DIGEST}") == scopes(f"sha256:{DIGEST.upper()}:read") == scopes(READER)
    assert scopes(f"sha256:{DIGEST}:admin") == [(DIGEST, True)]


def test_lines_commas_and_comments_part_keys():
    text = f"# whoever reads\n{READER}  # since spring\n\n  {KEEPER}:admin ,\n"
    assert scopes(text) == scopes(f"{READER},{KEEPER}:admin")


@pytest.mark.parametrize(
    "entry",
    [
        "fifteen-letters",
        "sixteen-letters!",
        "two words of a key",
        "schlüssel-0123456789",
        f"{READER}:write",
        f"{READER}:ADMIN",
        f"{READER}:",
        "sha256:0123456789abcdef",
        f"md5:{DIGEST}",
        f"sha256:{DIGEST[:-1]}g",
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(entry: str):
    with pytest.raises(ValueError, match="file, key 2: is no key; accepts KEY, KEY:read or KEY:admin") as error:
        api_keys.parse({"file": f"{KEEPER}\n{entry}"})
    assert entry not in str(error.value)


@pytest.mark.parametrize("scope", ["", ":read", ":admin"])
def test_the_digest_of_an_empty_key_is_refused(scope: str):
    nothing = hashlib.sha256(b"").hexdigest()
    for written in (nothing, nothing.upper()):
        with pytest.raises(ValueError, match="file, key 2: is the digest of an empty key"):
            api_keys.parse({"file": f"{KEEPER}\nsha256:{written}{scope}"})


@pytest.mark.parametrize("text", ["", " \n,", "# reader-0123456789"])
def test_a_text_without_keys_is_refused(text: str):
    with pytest.raises(ValueError, match="here: holds no key"):
        api_keys.parse({"here": text})


@pytest.mark.parametrize("again", [READER, f"{READER}:admin", f"sha256:{DIGEST}"])
def test_a_key_that_is_there_twice_is_refused(again: str):
    with pytest.raises(ValueError, match="here, key 1: is there twice"):
        api_keys.parse({"there": f"{READER},{KEEPER}", "here": again})


def test_a_key_is_found_by_nothing_but_itself():
    several = api_keys.parse({"here": f"{READER},{KEEPER}:admin"})
    assert api_keys.find(several, READER.encode()) == several[0]
    assert api_keys.find(several, KEEPER.encode()) == several[1]
    for wrong in (
        b"",
        READER[:-1].encode(),
        f"{READER}:read".encode(),
        DIGEST.encode(),
        several[0].digest,
        b"\xff" * 99,
    ):
        assert api_keys.find(several, wrong) is None


def test_an_empty_key_is_none():
    nothing = api_keys.Key(hashlib.sha256(b"").digest(), admin=True, plain=False)
    assert api_keys.find([nothing], b"") is None


def test_every_key_is_compared_whichever_it_is(monkeypatch: pytest.MonkeyPatch):
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(api_keys, "compare_digest", compare)
    several = api_keys.parse({"here": f"{READER},{KEEPER}"})
    for given in (READER, KEEPER, "none of these"):
        compared.clear()
        api_keys.find(several, given.encode())
        assert compared == [key.digest for key in several]


def test_a_file_that_can_not_be_read_says_why(tmp_path: Path):
    with pytest.raises(ValueError, match=r"nowhere: can't be read \(No such file"):
        api_keys.read(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"can't be read \(Is a directory"):
        api_keys.read(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="binary: is no ASCII text"):
        api_keys.read(tmp_path / "binary")


@pytest.mark.parametrize(
    ("content", "mode", "exposed"),
    [(READER, 0o644, True), (READER, 0o640, False), (f"sha256:{DIGEST}", 0o644, False)],
)
def test_a_file_of_keys_is_exposed_if_all_can_read_it_and_it_has_more_than_digests(
    tmp_path: Path, content: str, mode: int, exposed: bool
):
    file = tmp_path / "keys"
    file.write_text(content)
    file.chmod(mode)
    assert api_keys.exposed(file) is exposed
