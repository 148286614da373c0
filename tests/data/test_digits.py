"""The embedded digits: all of them, each once, with every class in both splits."""

import numpy as np
import pytest

from maskaae.data.dataset import load_dataset
from maskaae.data.digits import load_digits
from maskaae.data.registry import SOURCES, resolve


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    SOURCES["digits"].prepare(resolve({"name": "digits", "source": "digits"}), raw=folder, folder=folder)
    return load_dataset(folder)


def test_every_image_is_in_exactly_one_split(digits):
    together = np.concatenate([digits.train, digits.test]).reshape(-1, 64)
    original = load_digits()[0].reshape(-1, 64)
    np.testing.assert_array_equal(together[np.lexsort(together.T)], original[np.lexsort(original.T)])


def test_a_fifth_is_for_testing_and_each_class_has_its_share(digits):
    assert (len(digits.train), len(digits.test)) == (1437, 360)
    share = np.bincount(digits.test_labels) / np.bincount(load_digits()[1])
    np.testing.assert_allclose(share, 0.2, atol=0.01)


def test_pixels_use_the_whole_range_of_a_byte(digits):
    assert digits.train.dtype == np.uint8
    assert (digits.train.min(), digits.train.max()) == (0, 255)
    assert set(np.unique(digits.train)) <= set(np.rint(np.arange(17) * 255 / 16))


def test_labels_belong_to_their_images(digits):
    images, labels = load_digits()
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert [known[image.tobytes()] for image in digits.test] == list(digits.test_labels)
