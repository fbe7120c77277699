import numpy as np

from tests.training.plots.toys import BIT, HEIGHT, Bands, bands, cell, context
from training.plots.pictures import GAP
from training.plots.reconstructions import reconstructions


def test_reconstructions_stand_below_their_images() -> None:
    autoencoder = Bands(2, idle=(1,))
    looked = context(autoencoder)
    batch = looked.dataset.batch(looked.rows[:4])
    picture = reconstructions(autoencoder, batch, looked.dataset.attributes)
    assert picture.shape[0] == 2 * (HEIGHT + GAP) + GAP, "without labels of all attributes no third row"
    for column, shown in enumerate(bands(batch.images)):
        assert (cell(picture, 0, column, autoencoder) == shown).all()
        assert np.allclose(cell(picture, 1, column, autoencoder), [shown[0], 0.5], atol=BIT)


def test_labels_that_say_everything_are_decoded_in_a_third_row() -> None:
    autoencoder = Bands(0, knows="condition")
    looked = context(autoencoder)
    picture = reconstructions(autoencoder, looked.dataset.batch(looked.rows[:3]), looked.dataset.attributes)
    assert [cell(picture, 2, column, autoencoder).tolist() for column in range(3)] == np.eye(3).tolist()
