"""The classifier that gives features to labelled data sets."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from maskaae.evaluation.classifier import (
    Classifier,
    ClassifierSettings,
    accuracy,
    describe_classifier,
    load_classifier,
    save_classifier,
    train_classifier,
)

SHORT = ClassifierSettings(steps=60, batch=32)


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    images = np.round(images / 16 * 255).astype(np.uint8).reshape(-1, 8, 8, 1)
    return train_test_split(images, labels.astype(np.int64), test_size=0.2, random_state=0, stratify=labels)


def bars(count, side, seed=0):
    """Images of one bright row or column: two classes that a convolution tells apart at once."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 80, (count, side, side, 3), dtype=np.uint8)
    labels = rng.integers(0, 2, count)
    for image, label, place in zip(images, labels, rng.integers(0, side, count), strict=True):
        image[(slice(None), place) if label else (place,)] = 255
    return images, labels


def test_digits_are_classified_better_than_ninety_five_percent(digits):
    train, test, train_labels, test_labels = digits
    classifier = train_classifier(train, train_labels, classes=10, settings=ClassifierSettings())
    report = describe_classifier(classifier, test, test_labels, ClassifierSettings())
    assert report["accuracy"] > 0.95
    assert report["classes"] == 10
    assert "Linear(in_features=64" in report["architecture"]


def test_larger_images_get_convolutions_that_learn():
    train, labels = bars(400, 16)
    classifier = train_classifier(train, labels, classes=2, settings=SHORT)
    assert any(isinstance(layer, torch.nn.Conv2d) for layer in classifier.modules())
    assert accuracy(classifier, *bars(200, 16, seed=1)) > 0.9


def test_vectors_with_labels_are_classified():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    vectors = (np.eye(3, 5)[labels] * 4 + rng.standard_normal((600, 5))).astype(np.float32)
    classifier = train_classifier(vectors[:400], labels[:400], classes=3, settings=SHORT)
    assert accuracy(classifier, vectors[400:], labels[400:]) > 0.9


def test_a_seed_gives_the_same_weights_again_and_another_seed_others(digits):
    train, _, labels, _ = digits
    once, again = (train_classifier(train, labels, classes=10, settings=SHORT) for _ in range(2))
    other = train_classifier(
        train, labels, classes=10, settings=ClassifierSettings(steps=60, batch=32, seed=1)
    )
    assert torch.equal(once.head.weight, again.head.weight)
    assert not torch.equal(once.head.weight, other.head.weight)


def test_a_saved_classifier_gives_the_same_features(digits, tmp_path):
    classifier = train_classifier(digits[0], digits[2], classes=10, settings=SHORT)
    save_classifier(classifier, tmp_path / "classifier.safetensors")
    x = torch.rand(5, 64)
    loaded = load_classifier(tmp_path / "classifier.safetensors")
    assert torch.equal(loaded.penultimate(x), classifier.penultimate(x))
    assert loaded.penultimate(x).shape == (5, 64)


def test_an_unlabelled_data_set_is_refused():
    with pytest.raises(ValueError, match="0 classes and 0 labels for 10 examples"):
        train_classifier(np.zeros((10, 4), np.float32), np.zeros(0, np.int64), classes=0, settings=SHORT)


def test_a_file_of_something_else_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors: no 'classifier' in the header"):
        load_classifier(tmp_path / "model.safetensors")


def test_the_penultimate_layer_is_what_the_last_layer_reads():
    classifier = Classifier((16, 16, 1), 4, torch.Generator().manual_seed(0))
    x = torch.rand(3, 256)
    assert torch.allclose(classifier.head(classifier.penultimate(x)), classifier(x))
