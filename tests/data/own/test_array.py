"""The user's own array file: what is made of it, and the error for every way in which it is unfit."""

import gzip

import numpy as np
import pytest
from published_files import idx_gz

from maskaae.data.dataset import load_dataset
from maskaae.data.registry import SOURCES, describe, resolve

RNG = np.random.default_rng(0)


def spec_of(path, **keys):
    return resolve({"name": "own", "source": "array", "path": str(path), **keys})


def prepare(path, **keys):
    out = path.parent / "out"
    SOURCES["array"].prepare(spec_of(path, **keys), raw=path, folder=out)
    return load_dataset(out)


def save(path, array):
    np.save(path, array)
    return path


def pixels(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def together(prepared):
    """Both splits as one set of rows."""
    return {row.tobytes() for row in [*prepared.train, *prepared.test]}


def test_idx_files_become_labelled_images(tmp_path):
    images, labels = pixels(100, 5, 4), (np.arange(100) % 3).astype(np.uint8)
    images[:, 0, 0] = labels
    (tmp_path / "images.gz").write_bytes(idx_gz(images))
    (tmp_path / "labels.gz").write_bytes(idx_gz(labels))
    prepared = prepare(tmp_path / "images.gz", label_path=str(tmp_path / "labels.gz"), test_fraction=0.1)
    assert prepared.train.shape == (90, 5, 4, 1)
    assert prepared.info.details["label_names"] == ["0", "1", "2"]
    np.testing.assert_array_equal(prepared.train_labels, prepared.train[:, 0, 0, 0])
    np.testing.assert_array_equal(prepared.test_labels, prepared.test[:, 0, 0, 0])


@pytest.mark.parametrize("pack", [False, True])
def test_npy_images_keep_their_pixels_gzipped_or_not(tmp_path, pack):
    images = pixels(100, 4, 4, 3)
    path = save(tmp_path / "images.npy", images)
    if pack:
        path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    prepared = prepare(path)
    assert together(prepared) == {image.tobytes() for image in images}


def test_channels_may_come_first(tmp_path, caplog):
    images = pixels(100, 3, 5, 4)
    prepared = prepare(save(tmp_path / "images.npy", images))
    assert prepared.info.shape == (5, 4, 3)
    assert together(prepared) == {image.transpose(1, 2, 0).tobytes() for image in images}
    assert "taken as (N, channels, height, width)" in caplog.text


@pytest.mark.parametrize(
    ("dtype", "top"), [(np.float32, 1.0), (np.float64, 1.0), (np.uint16, 65535), (np.int64, 255), (bool, 1)]
)
def test_other_pixels_are_stretched_to_bytes_and_it_is_said(tmp_path, caplog, dtype, top):
    images = np.zeros((100, 2, 2), dtype)
    images[:, 0, 0] = top
    prepared = prepare(save(tmp_path / "images.npy", images))
    np.testing.assert_array_equal(prepared.train[0, ..., 0], [[255, 0], [0, 0]])
    assert "converted to uint8" in caplog.text


@pytest.mark.parametrize(("value", "message"), [(-0.5, "from -0.5 to 0"), (2.0, "from 0.0 to 2.0")])
def test_pixels_out_of_range_are_refused(tmp_path, value, message):
    images = np.zeros((100, 2, 2))
    images[3, 1, 1] = value
    match = rf"images\.npy: values {message}.*give uint8, or float64 from 0 to 1 or 255"
    with pytest.raises(ValueError, match=match):
        prepare(save(tmp_path / "images.npy", images))


def test_vectors_are_standardised_by_the_training_split_alone(tmp_path):
    vectors = RNG.normal([5, -3, 1000], [0.1, 2, 300], (200, 3))
    prepared = prepare(save(tmp_path / "vectors.npy", vectors))
    np.testing.assert_allclose(prepared.train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(prepared.train.std(0), 1, rtol=1e-5)
    assert np.abs(prepared.test.mean(0)).max() > 1e-3


def test_the_one_array_of_an_npz_needs_no_key_and_one_of_several_does(tmp_path):
    vectors = RNG.normal(size=(100, 2))
    np.savez(tmp_path / "one.npz", points=vectors)
    np.savez(tmp_path / "two.npz", points=vectors, others=vectors[:, ::-1], classes=np.arange(100) % 2)
    one = prepare(tmp_path / "one.npz").info.sha256["train"]
    assert prepare(tmp_path / "two.npz", key="points").info.sha256["train"] == one
    assert prepare(tmp_path / "two.npz", key="points", label_key="classes").info.classes == 2
    with pytest.raises(ValueError, match=r"it holds points \(100, 2\), others .*; name one of them as `key`"):
        prepare(tmp_path / "two.npz")
    with pytest.raises(ValueError, match="there is no array 'pionts' in it, only points"):
        prepare(tmp_path / "two.npz", key="pionts")


@pytest.mark.parametrize(("value", "text"), [(np.nan, "the value is missing"), (-np.inf, "'-inf' is not")])
def test_a_value_that_is_no_number_is_named_by_file_row_and_position(tmp_path, value, text):
    vectors = np.zeros((3000, 4))
    vectors[2500, 3] = value
    match = rf"v\.npy, row 2500 \(counted from 0\), column '3': {text}"
    with pytest.raises(ValueError, match=match):
        prepare(save(tmp_path / "v.npy", vectors))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(100), r"shape \(100,\) is neither vectors \(N, D\) nor images"),
        (np.zeros((100, 4, 4, 2), np.uint8), r"shape \(100, 4, 4, 2\) is neither"),
        (np.zeros((10, 3)), "8 examples to train on, fewer than one batch of 64"),
        (np.full((100, 2), "a"), "holds <U1, not numbers"),
        (np.array([{}] * 3), "holds Python objects"),
    ],
)
def test_an_unfit_array_is_refused(tmp_path, array, message):
    with pytest.raises(ValueError, match=message) as failure:
        prepare(save(tmp_path / "array.npy", array))
    assert str(tmp_path / "array.npy") in str(failure.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,c\n1,2,3\n", "is no array but text; set source: auto, or leave it out"),
        (b"\x93NUMPY\x01\x00", "array.npy: "),
        (b"PK\x03\x04 and no more", "not a zip file"),
        (gzip.compress(bytes(1000), mtime=0)[:12], r"damaged \(Compressed file ended"),
    ],
    ids=["text", "cut off in npy's header", "zip's magic alone", "cut off in gzip's header"],
)
def test_a_file_that_is_no_array_is_named(tmp_path, content, message):
    path = tmp_path / "array.npy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        prepare(path)


def test_a_truncated_array_is_named(tmp_path):
    path = save(tmp_path / "array.npy", np.zeros((100, 50)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"array\.npy: "):
        prepare(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npy: no such file"):
        prepare(tmp_path / "nothing.npy")


def test_constant_columns_are_reported_and_kept_out_of_scaling(tmp_path, caplog):
    vectors = RNG.normal(size=(100, 3))
    vectors[:, 1] = 1e6
    prepared = prepare(save(tmp_path / "v.npy", vectors))
    scaling = prepared.info.details["scaling"]
    assert scaling["constant"] == [1]
    assert scaling["scale"][1] == 1
    assert not prepared.train[:, 1].any()
    assert "constant over the training split, not scaled: 1" in caplog.text


def test_a_constant_that_binary_cannot_hold_is_constant_all_the_same(tmp_path):
    vectors = RNG.normal(size=(1000, 2))
    vectors[:, 0] = 0.1
    assert prepare(save(tmp_path / "v.npy", vectors)).info.details["scaling"]["constant"] == [0]


def test_examples_in_both_splits_are_reported(tmp_path):
    vectors = RNG.normal(size=(100, 3))
    save(tmp_path / "test.npy", np.concatenate([RNG.normal(size=(5, 3)), vectors[[3, 7]]]))
    prepared = prepare(save(tmp_path / "v.npy", vectors), test_path=str(tmp_path / "test.npy"))
    assert prepared.info.details["duplicates"] == {"test_rows_in_train": 2, "first": 5}


def test_a_test_file_of_another_shape_is_refused(tmp_path):
    save(tmp_path / "test.npy", np.zeros((10, 4)))
    with pytest.raises(ValueError, match=r"test\.npy: shape \(4,\) per example, but .*v\.npy has \(3,\)"):
        prepare(save(tmp_path / "v.npy", RNG.normal(size=(100, 3))), test_path=str(tmp_path / "test.npy"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(99, int), r"labels\.npy: classes of shape \(99,\) for 100 examples"),
        (np.zeros(100, int), r"labels\.npy: '0' is the only class; leave the labels out"),
        (np.linspace(0, 1, 100), r"labels\.npy: .* is not a class; classes are whole numbers or text"),
    ],
)
def test_unfit_classes_are_refused(tmp_path, labels, message):
    save(tmp_path / "labels.npy", labels)
    with pytest.raises(ValueError, match=message):
        prepare(save(tmp_path / "v.npy", RNG.normal(size=(100, 3))), label_path=str(tmp_path / "labels.npy"))


def test_classes_may_have_names_and_gaps(tmp_path):
    vectors = save(tmp_path / "v.npy", RNG.normal(size=(100, 3)))
    save(tmp_path / "names.npy", np.array(["b", "a"] * 50))
    save(tmp_path / "gaps.npy", np.array([10.0, 9.0] * 50))
    for file, names in (("names.npy", ["a", "b"]), ("gaps.npy", ["9", "10"])):
        prepared = prepare(vectors, label_path=str(tmp_path / file))
        assert prepared.info.details["label_names"] == names


def test_kind_and_dimension_are_read_from_the_header_at_parse_time(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((9, 5)), y=np.zeros(9, int))
    (tmp_path / "a.gz").write_bytes(idx_gz(pixels(9, 5, 4)))
    save(tmp_path / "a.npy", pixels(9, 5, 4, 3))
    assert describe(spec_of(tmp_path / "a.npz", label_key="y")) == ("vectors", 5)
    assert describe(spec_of(tmp_path / "a.gz")) == ("images", 20)
    assert describe(spec_of(tmp_path / "a.npy")) == ("images", 60)
    assert describe(spec_of(tmp_path / "not_yet.npy")) == (None, None)
