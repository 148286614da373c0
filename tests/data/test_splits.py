"""The training split trains and the test split is only evaluated: no source may mix them up."""

import numpy as np
import pytest
from PIL import Image
from published_files import CIFAR_NAMES, celeba_files, cifar_tar, jpeg, place, small_mnist

from maskaae.data.dataset import load_dataset
from maskaae.data.registry import SOURCES, resolve


def prepare(tmp_path, source, **keys):
    spec = resolve({"name": "toy", "source": source, **keys})
    SOURCES[source].prepare(spec, raw=tmp_path / "raw", folder=tmp_path / "out")
    return load_dataset(tmp_path / "out")


@pytest.mark.parametrize(
    ("source", "folder"), [("mnist", "MNIST/raw"), ("fashion_mnist", "FashionMNIST/raw")]
)
def test_mnist_trains_on_the_training_file_only(tmp_path, source, folder):
    place(tmp_path / "raw" / folder, small_mnist())  # training pixels are below 100, test pixels above 150
    prepared = prepare(tmp_path, source, verify=False)  # not the published images
    assert (len(prepared.train), len(prepared.test)) == (70, 20)
    assert prepared.train.max() < 100
    assert prepared.test.min() >= 150
    np.testing.assert_array_equal(prepared.train_labels, np.arange(70) % 10)
    np.testing.assert_array_equal(prepared.test_labels, np.arange(20) % 10)


def test_cifar_trains_on_the_five_training_batches_only(tmp_path):
    place(tmp_path / "raw", {"cifar-10-python.tar.gz": cifar_tar(per_batch=12)})
    prepared = prepare(tmp_path, "cifar10", verify=False)
    np.testing.assert_array_equal(prepared.train[:, 0, 0, 0], np.repeat([1, 2, 3, 4, 5], 12))
    np.testing.assert_array_equal(prepared.test[:, 0, 0, 0], np.full(12, 6))
    assert prepared.info.details["label_names"] == CIFAR_NAMES


def test_celeba_trains_on_part_0_tests_on_part_2_and_leaves_part_1_out(tmp_path):
    place(tmp_path / "raw/celeba", celeba_files(per_part=4))
    prepared = prepare(tmp_path, "celeba", verify=False)
    assert prepared.train.shape == prepared.test.shape == (4, 64, 64, 3)
    assert set(prepared.train.flat) == {40}
    assert set(prepared.test.flat) == {200}


def test_own_images_test_on_the_folder_given_for_it(tmp_path):
    for folder, grey in (("train", 40), ("test", 200)):
        files = {f"{i}.jpg": jpeg(np.full((8, 8), grey + i % 10, np.uint8)) for i in range(70)}
        place(tmp_path / folder, files)
    prepared = prepare(
        tmp_path, "images", path=str(tmp_path / "train"), test_path=str(tmp_path / "test"), size=8
    )
    assert prepared.train.max() < 60
    assert prepared.test.min() > 190


def test_own_array_and_table_test_on_the_file_given_for_it(tmp_path):
    rng = np.random.default_rng(0)
    train, test = rng.uniform(0, 1, (80, 3)), rng.uniform(5, 6, (30, 3))
    np.save(tmp_path / "train.npy", train)
    np.save(tmp_path / "test.npy", test)
    np.savetxt(tmp_path / "train.txt", train)
    np.savetxt(tmp_path / "test.txt", test)
    for source, ending in (("array", "npy"), ("table", "txt")):
        files = {"path": str(tmp_path / f"train.{ending}"), "test_path": str(tmp_path / f"test.{ending}")}
        prepared = prepare(tmp_path, source, **files, scaling="none")
        np.testing.assert_allclose(prepared.train, train, rtol=1e-6)
        np.testing.assert_allclose(prepared.test, test, rtol=1e-6)


def test_a_seeded_split_uses_every_row_once_and_a_fifth_for_testing(tmp_path):
    rows = np.arange(300.0).reshape(100, 3)
    np.save(tmp_path / "rows.npy", rows)
    prepared = prepare(tmp_path, "array", path=str(tmp_path / "rows.npy"), scaling="none")
    assert (len(prepared.train), len(prepared.test)) == (80, 20)
    np.testing.assert_array_equal(np.sort(np.concatenate([prepared.train, prepared.test]), axis=0), rows)


def test_another_seed_splits_otherwise_and_the_same_seed_alike(tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(300.0).reshape(100, 3))
    seeds = (0, 0, 1)
    tests = [
        np.array(prepare(tmp_path, "array", path=str(tmp_path / "rows.npy"), split_seed=seed).test)
        for seed in seeds
    ]
    np.testing.assert_array_equal(tests[0], tests[1])
    assert not np.array_equal(tests[0], tests[2])


def test_grey_photographs_are_not_taken_for_a_split(tmp_path):
    """A file name decides nothing: a `test` in it does not put it into the test split of a seeded split."""
    files = {f"test_{i:03d}.png": b"" for i in range(100)}
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, name in enumerate(files):
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(folder / name)
    prepared = prepare(tmp_path, "images", path=str(folder), size=4)
    assert (len(prepared.train), len(prepared.test)) == (80, 20)
