"""What is written is what is loaded, equal data give equal bytes, and nothing half-made stays behind."""

import hashlib
import json
import resource

import numpy as np
import pytest

from maskaae.data.dataset import FILES, INFO_FILE, load_dataset
from maskaae.data.writer import DatasetWriter, write_dataset


def images(count, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 5, channels), dtype=np.uint8)


def vectors(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 6)).astype(np.float32)


def write_labelled(folder):
    return write_dataset(
        folder,
        name="toy",
        source="test",
        train=images(7),
        test=images(3, seed=1),
        labels={"train": np.arange(7) % 2, "test": np.arange(3) % 2},
        label_names=["cat", "dog"],
        details={"colour": "grey"},
    )


def test_a_data_set_comes_back_as_it_was_written(tmp_path):
    written = write_labelled(tmp_path)
    loaded = load_dataset(tmp_path)
    assert loaded.info == written
    assert (loaded.info.shape, loaded.info.dimension, loaded.info.classes) == ((4, 5, 1), 20, 2)
    np.testing.assert_array_equal(loaded.train, images(7))
    np.testing.assert_array_equal(loaded.test, images(3, seed=1))
    np.testing.assert_array_equal(loaded.train_labels, [0, 1, 0, 1, 0, 1, 0])
    np.testing.assert_array_equal(loaded.test_labels, [0, 1, 0])
    assert loaded.info.details == {"colour": "grey", "label_names": ["cat", "dog"]}


def test_a_part_is_loaded_without_the_files_of_the_others(tmp_path):
    write_labelled(tmp_path)
    for part in ("test", "labels"):
        (tmp_path / FILES[part]).unlink()
    loaded = load_dataset(tmp_path, ["train"])
    np.testing.assert_array_equal(loaded.train, images(7))
    assert loaded.test.shape == (0, 4, 5, 1)
    assert loaded.test.dtype == np.uint8
    assert len(loaded.train_labels) == len(loaded.test_labels) == 0
    with pytest.raises(FileNotFoundError, match="test"):
        load_dataset(tmp_path)


def test_examples_are_memory_mapped_and_cannot_be_changed(tmp_path):
    write_labelled(tmp_path)
    loaded = load_dataset(tmp_path)
    assert isinstance(loaded.train, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        loaded.train[0] = 0


def test_an_unlabelled_data_set_has_empty_labels(tmp_path):
    write_dataset(tmp_path, name="toy", source="test", train=vectors(5), test=vectors(2))
    loaded = load_dataset(tmp_path)
    assert (loaded.info.kind, loaded.info.classes) == ("vectors", 0)
    assert loaded.train_labels.shape == loaded.test_labels.shape == (0,)
    assert loaded.train_labels.dtype == np.int64


def test_equal_data_give_equal_bytes(tmp_path):
    for copy in ("a", "b"):
        write_labelled(tmp_path / copy)
    for file in (*FILES.values(), INFO_FILE):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_checksums_are_those_of_the_files(tmp_path):
    info = write_labelled(tmp_path)
    for key, file in FILES.items():
        assert info.sha256[key] == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train": vectors(5).astype(np.float64), "test": vectors(2)}, "the splits differ"),
        ({"train": images(5, channels=2), "test": images(2, channels=2)}, "neither images"),
        ({"train": vectors(5), "test": vectors(0)}, "test split is empty"),
        (
            {
                "train": vectors(5),
                "test": vectors(2),
                "labels": {"train": np.zeros(5, int)},
                "label_names": ["a"],
            },
            "labels of the test split",
        ),
        (
            {
                "train": vectors(2),
                "test": vectors(2),
                "labels": {"train": np.array([0, 2]), "test": np.array([0, 1])},
                "label_names": ["a", "b"],
            },
            r"label 2 in the train split.* 0 \.\. 1",
        ),
    ],
)
def test_data_that_do_not_fit_the_contract_are_refused(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        write_dataset(tmp_path, name="toy", source="test", **arrays)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_named_by_row_and_column(tmp_path, value):
    test = vectors(20_000)
    test[15_000, 3] = value
    with pytest.raises(ValueError, match=rf"test split: row 15000, position \(3,\) .* holds {value}"):
        write_dataset(tmp_path, name="toy", source="test", train=vectors(5), test=test)


def test_pieces_give_the_same_bytes_as_the_whole(tmp_path):
    write_dataset(tmp_path / "a", name="toy", source="test", train=images(7), test=images(3))
    with DatasetWriter(tmp_path / "b") as writer:
        writer.fill("train", 7, (images(7)[start : start + 3] for start in (0, 3, 6)))
        writer.fill("test", 3, [images(3)])
        writer.publish(name="toy", source="test")
    for file in (*FILES.values(), INFO_FILE):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_fewer_examples_than_promised_are_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="6 examples for the train split where 7"),
        DatasetWriter(tmp_path) as writer,
    ):
        writer.fill("train", 7, [images(3), images(3)])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_with_what_is_needed_and_nothing_stays(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match=r"no space left for .*train\.npy, which needs 20000 bytes"):
            write_dataset(tmp_path, name="toy", source="test", train=images(1000), test=images(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_leaves_the_earlier_data_set_untouched(tmp_path):
    def interrupted():
        yield images(5)
        raise KeyboardInterrupt

    before = write_labelled(tmp_path)
    with pytest.raises(KeyboardInterrupt), DatasetWriter(tmp_path) as writer:
        writer.fill("train", 9, interrupted())
    assert load_dataset(tmp_path).info == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES.values(), INFO_FILE])


def test_an_array_other_than_promised_is_refused(tmp_path):
    write_labelled(tmp_path)
    np.save(tmp_path / "test.npy", images(4))
    with pytest.raises(
        ValueError, match=r"test\.npy: holds uint8 \(4, 4, 5, 1\), but dataset\.json promises"
    ):
        load_dataset(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    write_labelled(tmp_path)
    (tmp_path / "labels.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"labels\.npz"):
        load_dataset(tmp_path)


def test_unknown_keys_in_the_json_are_refused(tmp_path):
    write_labelled(tmp_path)
    content = json.loads((tmp_path / INFO_FILE).read_text())
    (tmp_path / INFO_FILE).write_text(json.dumps({**content, "colour": "grey"}))
    with pytest.raises(ValueError, match="colour"):
        load_dataset(tmp_path)
