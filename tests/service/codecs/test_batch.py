from __future__ import annotations

import numpy as np

from service.codecs.batch import may_be_plain, plain_batch, to_batch
from service.codecs.decode import Source
from tests.service.codecs.pictures import COLOUR, GREY, noise, saved


def test_bytes_and_fractions_are_0_to_1_of_planes():
    whole = np.arange(28 * 40 * 3).reshape(COLOUR) % 256
    batch = to_batch([whole.astype(np.uint8), (whole / 255).astype(np.float32)], COLOUR)
    assert (batch.shape, batch.dtype) == ((2, 3, 28, 40), np.float32)
    np.testing.assert_allclose(batch[0], whole.transpose(2, 0, 1) / 255, rtol=1e-6)
    np.testing.assert_array_equal(batch[0], batch[1])


def test_the_colour_of_what_is_transparent_is_0():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28, 4), np.uint8)
    pixels[:9, :, 3] = 0
    shown = pixels * (pixels[..., 3:] > 0)
    batch = to_batch([pixels, (pixels / 255).astype(np.float32)], (28, 28, 4))
    for image in batch:
        np.testing.assert_allclose(image, shown.transpose(2, 0, 1) / 255, rtol=1e-6)


def test_plain_files_are_read_and_none_if_one_is_not_plain():
    pictures = [noise("L", seed=seed) for seed in range(3)]
    sources = [Source("the body", saved(picture), None) for picture in pictures]
    assert may_be_plain(sources, GREY, 3 * 32 * 32)
    batch = plain_batch(sources, GREY)
    assert batch is not None
    np.testing.assert_array_equal(batch[:, 0] * 255, np.stack([np.asarray(each) for each in pictures]))
    assert not may_be_plain(sources, GREY, 3 * 32 * 32 - 1)
    assert not may_be_plain(sources, COLOUR, 2**20)
    for other in (Source("the body", saved(pictures[0], "JPEG"), None), sources[0]._replace(media="image/jpeg")):
        assert not may_be_plain([*sources, other], GREY, 2**20)
    assert plain_batch([*sources, sources[0]._replace(data=sources[0].data[:-1])], GREY) is None
