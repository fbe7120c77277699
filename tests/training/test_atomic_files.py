import json
from pathlib import Path

import pytest

from training.atomic_files import atomic_write, naming, write_json


def test_a_file_appears_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with atomic_write(file) as output:
        output.write(b"half")
        assert not list(tmp_path.iterdir())
        output.write(b" and half")
    assert file.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_was_removed_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone/file'$"), atomic_write(tmp_path / "gone" / "file"):
        pass
    assert not list(tmp_path.iterdir())


def test_an_error_of_a_write_names_the_file(tmp_path: Path) -> None:
    def write() -> None:
        with Path("/dev/full").open("wb") as full:
            full.write(b"x")

    with pytest.raises(OSError, match="No space left on device") as unnamed:
        write()
    assert unnamed.value.filename is None
    with pytest.raises(OSError, match="No space left on device: 'log'") as named, naming(Path("log")):
        write()
    assert named.value.filename == "log"
    with pytest.raises(OSError, match=r"^closed$"), naming(Path("log")):
        raise OSError("closed")


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")

    def fail() -> None:
        with atomic_write(file) as output:
            output.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]


def test_json_ends_with_a_line_break(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"a": [1, 2.5, None]})
    text = (tmp_path / "file.json").read_text()
    assert json.loads(text) == {"a": [1, 2.5, None]}
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", [value])
    assert not list(tmp_path.iterdir())
