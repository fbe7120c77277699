"""Decoders in processes of their own: what they give, and that their limits hold."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from service.codecs import decoder_process
from service.codecs.decode import Source, decode_images
from service.codecs.decoder_process import DecoderPool, DecoderProcess
from service.codecs.errors import ImageError
from tests.service.codecs.pictures import ALPHA, COLOUR, GREY, noise, saved, slow
from tests.service.processes import wait_until

ENOUGH = 2**29
FILES = [
    saved(noise("RGB", seed=seed), form) for seed, form in enumerate(["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"])
]


def program(text: str) -> tuple[str, ...]:
    """A command that is no decoder."""
    return (sys.executable, "-c", text)


def decode(decoder: DecoderProcess, *files: bytes, max_pixels: int = 2**24) -> tuple[list[np.ndarray], list[list[str]]]:
    sources = [Source(f"files[{index}]", data, None) for index, data in enumerate(files)]
    return decoder.decode(sources, GREY, 16, max_pixels)


@pytest.fixture
def decoder() -> Iterator[DecoderProcess]:
    decoder = DecoderProcess(60, ENOUGH)
    yield decoder
    decoder.kill()


@pytest.mark.parametrize("shape", [GREY, COLOUR, ALPHA])
def test_another_process_gives_what_this_one_would(decoder: DecoderProcess, shape: tuple[int, int, int]):
    animation = [noise("L", seed=seed) for seed in range(3)]
    more = [saved(animation[0], "GIF", save_all=True, append_images=animation[1:])]
    sources = [Source(f"files[{index}]", data, None) for index, data in enumerate(FILES + more)]
    images, converted = decoder.decode(sources, shape, 16, 2**20)
    expected, notes = decode_images(sources, shape, 16, 2**20)
    assert len(images) == len(expected) == len(FILES) + 3
    for found, image in zip(images, expected, strict=True):
        np.testing.assert_array_equal(found, image)
    assert converted == notes


def test_arrays_between_files_stay_fractions(decoder: DecoderProcess, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    np.save(path, np.full((32, 32), 0.3, np.float32))
    images, _ = decode(decoder, FILES[1], path.read_bytes())
    assert [image.dtype for image in images] == [np.uint8, np.float32]
    assert (images[1] == np.float32(0.3)).all()


def test_an_error_is_the_same_as_in_this_process(decoder: DecoderProcess):
    for data, pixels in ((b"no image", 2**20), (FILES[1], 1), (FILES[0][:50], 2**20)):
        with pytest.raises(ImageError) as there:
            decode(decoder, data, max_pixels=pixels)
        with pytest.raises(ImageError) as here:
            decode_images([Source("files[0]", data, None)], GREY, 16, pixels)
        assert (there.value.status, there.value.detail) == (here.value.status, here.value.detail)
        assert there.value.members["where"] == here.value.members["where"] == "files[0]"


def test_what_takes_long_is_ended_and_what_comes_next_is_decoded():
    """A hundredth of a second of the processor; the kernel counts them in ticks."""
    decoder = DecoderProcess(0.01, ENOUGH)
    with pytest.raises(ImageError, match=r"files\[0\]: takes more than 0.01 s to decode") as caught:
        decode(decoder, slow())
    assert caught.value.status == 413
    with pytest.raises(ImageError, match=r"files\[0\] to files\[1\]: takes more than 0.01 s"):
        decode(decoder, FILES[0], slow())
    decoder._cpu_seconds = 60
    assert len(decode(decoder, *FILES, slow())[0]) == len(FILES) + 1
    decoder.kill()


def test_what_takes_much_memory_is_refused_and_what_comes_next_is_decoded():
    """48 MB of pixels where 32 MiB may be taken."""
    decoder = DecoderProcess(60, 2**25)
    with pytest.raises(ImageError, match="takes too much memory to decode") as caught:
        decode(decoder, saved(Image.new("RGB", (4000, 4000))))
    assert caught.value.status == 413
    assert len(decode(decoder, *FILES)[0]) == len(FILES)
    decoder.kill()


def test_what_c_code_allocates_is_limited_too():
    decoder = DecoderProcess(60, 2**24)
    with pytest.raises(ImageError) as caught:
        decode(decoder, saved(Image.new("L", (4096, 4096)), "AVIF", speed=10))
    assert 400 <= caught.value.status < 500
    assert len(decode(decoder, *FILES)[0]) == len(FILES)
    decoder.kill()


def test_a_process_that_waits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoder_process, "COMMAND", program("import time; time.sleep(1000)"))
    monkeypatch.setattr(decoder_process, "PATIENCE_SECONDS", 0.2)
    decoder = DecoderProcess(60, ENOUGH)
    with pytest.raises(ImageError, match=r"takes more than 0.2 s to decode") as caught:
        decode(decoder, FILES[0])
    assert caught.value.status == 413


def test_a_file_that_ends_its_decoder_is_refused(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(decoder_process, "COMMAND", program("import os; os.read(0, 1); os.abort()"))
    with pytest.raises(ImageError, match=r"files\[0\]: its decoder failed") as caught:
        decode(DecoderProcess(60, ENOUGH), FILES[0])
    assert caught.value.status == 400
    assert [record.getMessage() for record in caplog.records] == [f"a decoder has failed: exit code {-signal.SIGABRT}"]


def test_a_process_that_has_ended_meanwhile_is_no_fault_of_the_next_file(decoder: DecoderProcess):
    decode(decoder, FILES[0])
    assert decoder._process
    os.kill(decoder._process.pid, signal.SIGKILL)
    assert len(decode(decoder, FILES[0])[0]) == 1


def test_it_knows_no_setting_of_the_service(monkeypatch: pytest.MonkeyPatch):
    started: list[dict[str, str]] = []

    def popen(*arguments: object, env: dict[str, str], **options: object) -> subprocess.Popen[bytes]:
        started.append(env)
        raise OSError

    monkeypatch.setenv("SPRITEVAE_API_KEYS", "secret-secret-secret")
    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(ImageError) as caught:
        decode(DecoderProcess(60, ENOUGH), FILES[0])
    assert caught.value.status == 503
    (env,) = started
    assert not [name for name in env if name.startswith("SPRITEVAE")]


def test_a_pool_has_so_many_processes_and_uses_them_again(monkeypatch: pytest.MonkeyPatch):
    started: list[DecoderProcess] = []
    start = DecoderProcess._start

    def counted(decoder: DecoderProcess) -> None:
        started.append(decoder)
        start(decoder)

    monkeypatch.setattr(DecoderProcess, "_start", counted)

    async def main() -> None:
        pool = DecoderPool(2, ENOUGH)
        source = Source("the body", FILES[1], None)
        decoded = await asyncio.gather(*(pool.decode([source], GREY, 16, 2**20) for _ in range(20)))
        assert [len(images) for images, _ in decoded] == [1] * 20
        with pytest.raises(ImageError):
            await pool.decode([source._replace(data=b"no image")], GREY, 16, 2**20)
        processes = [decoder._process for decoder in started]
        pool.close()
        for process in processes:
            assert process
            assert process.wait(60) == -signal.SIGKILL

    asyncio.run(main())
    assert 1 <= len(started) <= 2


def test_what_is_not_waited_for_any_more_is_ended_and_its_place_is_free(monkeypatch: pytest.MonkeyPatch):
    command = decoder_process.COMMAND
    monkeypatch.setattr(decoder_process, "COMMAND", program("import time; time.sleep(1000)"))
    processes: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def noted(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        processes.append(popen(*arguments, **options))  # type: ignore[call-overload]
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)

    async def main() -> None:
        pool = DecoderPool(1, ENOUGH)
        source = Source("the body", FILES[1], None)
        for _ in range(3):
            task = asyncio.create_task(pool.decode([source], GREY, 16, 2**20))
            before = len(processes)
            while len(processes) == before:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        monkeypatch.setattr(decoder_process, "COMMAND", command)
        images, _ = await pool.decode([source], GREY, 16, 2**20)
        assert len(images) == 1
        pool.close()

    asyncio.run(main())
    wait_until(lambda: all(process.poll() is not None for process in processes))
