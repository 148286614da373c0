"""The unit of the reconstruction term: one for unit variance, scale-free, equal to the loss it stands for."""

import numpy as np
import pytest
import torch

from maskaae.method.losses import binary_cross_entropy, reconstruction_unit


def test_unit_of_vectors_is_their_mean_variance():
    x = np.array([[0.0, 1.0], [2.0, 1.0]], dtype=np.float32)  # variances 1 and 0
    assert reconstruction_unit(x, "mse") == pytest.approx(0.5)
    assert reconstruction_unit(10 * x, "mse") == pytest.approx(50)


def test_unit_of_images_is_the_cross_entropy_gained_by_perfect_decoding():
    images = np.random.default_rng(0).integers(1, 255, size=(50, 3, 3, 1), dtype=np.uint8)
    x = torch.from_numpy(images.reshape(1, 50, 9) / 255.0)
    mean = x.mean(dim=1, keepdim=True).expand_as(x)
    gain = binary_cross_entropy(x, torch.logit(mean)) - binary_cross_entropy(x, torch.logit(x))
    assert reconstruction_unit(images, "bce") == pytest.approx(gain.item())


def test_black_and_white_pixels_have_no_entropy():
    images = np.array([[0], [255]], dtype=np.uint8)
    assert reconstruction_unit(images, "bce") == pytest.approx(np.log(2))


def test_equal_examples_are_refused():
    with pytest.raises(ValueError, match="all training examples are equal"):
        reconstruction_unit(np.ones((5, 2), dtype=np.float32), "mse")
