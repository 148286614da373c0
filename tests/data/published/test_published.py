"""Preparing the published archives: right pixels, bounded work, and an error that names what is damaged."""

import gzip
import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from published_files import celeba_files, cifar_batches, cifar_tar, idx_gz, jpeg, place, small_mnist

from maskaae.data.dataset import load_dataset
from maskaae.data.published.celeba import read_partition
from maskaae.data.published.cifar import TAR, read_batch, read_batches, read_contents
from maskaae.data.published.forms import Form
from maskaae.data.published.mnist import read_idx
from maskaae.data.registry import SOURCES, resolve

PUBLISHED = [source for source in SOURCES.values() if source.raw_files]


def prepare(tmp_path, source, workers=1, **keys):
    spec = resolve({"name": "toy", "source": source, "verify": False, **keys})
    return SOURCES[source].prepare(spec, raw=tmp_path / "raw", folder=tmp_path / "out", workers=workers)


@pytest.mark.parametrize("source", PUBLISHED, ids=lambda source: source.name)
def test_a_missing_file_is_named_with_its_place(tmp_path, source):
    with pytest.raises(FileNotFoundError, match=r"is missing: .*put the file there by hand") as failure:
        prepare(tmp_path, source.name)
    assert any(str(tmp_path / "raw" / file) in str(failure.value) for file in source.raw_files)
    assert not (tmp_path / "out" / "dataset.json").exists()


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("packed", [True, False])
def test_idx_of_every_type_is_read(tmp_path, dtype, packed):
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes([0, 0, codes[dtype], 3]) + sizes + array.astype(">" + dtype).tobytes()
    path = tmp_path / "array.idx"
    path.write_bytes(gzip.compress(content) if packed else content)
    read = read_idx(path)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", "not an IDX file; it starts with b'<htm'"),
        (bytes([0, 0, 8, 3, 0, 0]), "ends within its header"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 5, 1, 2]), r"holds 2 bytes after its header, which promises 5"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), r"holds 2 bytes after its header, which promises 1"),
        (idx_gz(np.arange(200, dtype=np.uint8))[:-30], "damaged gzip file"),
        (idx_gz(np.arange(200, dtype=np.uint8))[:60] + bytes(40), "damaged gzip file"),
    ],
)
def test_a_damaged_idx_file_is_named(tmp_path, content, message):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as failure:
        read_idx(path)
    assert str(path) in str(failure.value)


def test_images_and_labels_that_do_not_belong_together_are_refused(tmp_path):
    files = small_mnist()
    files["train-labels-idx1-ubyte.gz"] = idx_gz(np.zeros(71, np.uint8))
    place(tmp_path / "raw/MNIST/raw", files)
    with pytest.raises(ValueError, match=r"train-labels.*holds uint8 \(71,\) for 70 images"):
        prepare(tmp_path, "mnist")


def test_cifar_keeps_the_order_of_rows_columns_and_colours(tmp_path):
    images, _ = read_batch(cifar_batches(per_batch=2)["data_batch_3"])
    assert images.shape == (2, 32, 32, 3)
    np.testing.assert_array_equal(images[0, 0, 0], [3, 3, 103])
    np.testing.assert_array_equal(images[0, 3, 5], [23, 23, 123])
    assert np.argwhere(images[1, ..., 0] != 3).tolist() == [[3, 5]]


def test_a_truncated_cifar_archive_is_named(tmp_path):
    place(tmp_path / "raw", {"cifar-10-python.tar.gz": cifar_tar()[:-400]})
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz: (damaged archive|lacks)"):
        prepare(tmp_path, "cifar10")


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    batches = {**cifar_batches(), "data_batch_1": pickle.dumps(print, protocol=2)}
    with pytest.raises(ValueError, match=r"evil: .*builtin.*print has no place in a batch of images"):
        read_batches(batches, tmp_path / "evil")


def test_a_tar_that_lacks_a_batch_is_named(tmp_path):
    path = tmp_path / "poor.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("cifar-10-batches-py/data_batch_1"), io.BytesIO(b""))
    with pytest.raises(ValueError, match=r"poor\.tar\.gz: lacks data_batch_2, .*batches\.meta"):
        read_contents(Form(TAR, {"all": (path,)}))


@pytest.mark.parametrize("crop", [140, 128, 160])
def test_celebas_crop_is_centred(tmp_path, crop):
    """Black outside the centre crop, white inside: the result is white to its edges, and no wider crop is."""
    pixels = np.zeros((218, 178, 3), np.uint8)
    top, left = (218 - crop) // 2, (178 - crop) // 2
    pixels[top : top + crop, left : left + crop] = 255
    files = celeba_files(per_part=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in (1, 2, 3):
            archive.writestr(f"img_align_celeba/{number:06d}.jpg", jpeg(pixels))
    place(tmp_path / "raw/celeba", {**files, "img_align_celeba.zip": packed.getvalue()})
    prepare(tmp_path, "celeba", crop=crop)
    inside = load_dataset(tmp_path / "out").train[0]
    assert inside.mean() > 250
    prepare(tmp_path, "celeba", crop=160)
    corner = load_dataset(tmp_path / "out").train[0, 0, 0].mean()
    assert corner > 200 if crop == 160 else corner < 60


def test_several_processes_give_the_same_bytes_as_one(tmp_path, monkeypatch):
    monkeypatch.setattr("maskaae.data.decode.PATIENCE", 0)
    rng = np.random.default_rng(0)
    packed, lines = io.BytesIO(), []
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(300):
            name = f"{number:06d}.jpg"
            pixels = rng.integers(0, 256, (160, 160, 3), dtype=np.uint8)
            archive.writestr(f"img_align_celeba/{name}", jpeg(pixels))
            lines.append(f"{name} {2 * (number % 2)}\n")
    files = {"img_align_celeba.zip": packed.getvalue(), "list_eval_partition.txt": "".join(lines).encode()}
    place(tmp_path / "raw/celeba", files)
    assert prepare(tmp_path, "celeba").sha256 == prepare(tmp_path, "celeba", workers=2).sha256


def test_a_photograph_that_the_zip_lacks_is_named_and_nothing_stays(tmp_path):
    files = celeba_files()
    files["list_eval_partition.txt"] += b"999999.jpg 0\n"
    place(tmp_path / "raw/celeba", files)
    with pytest.raises(ValueError, match=r"lacks img_align_celeba/999999\.jpg"):
        prepare(tmp_path, "celeba")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_photograph_is_named(tmp_path):
    files = celeba_files(per_part=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in (1, 2, 3):
            archive.writestr(
                f"img_align_celeba/{number:06d}.jpg", jpeg(np.zeros((218, 178, 3), np.uint8))[:300]
            )
    place(tmp_path / "raw/celeba", {**files, "img_align_celeba.zip": packed.getvalue()})
    with pytest.raises(ValueError, match=r"img_align_celeba/000001\.jpg: cannot be used as an image"):
        prepare(tmp_path, "celeba")


def test_a_truncated_zip_is_named(tmp_path):
    files = celeba_files()
    place(tmp_path / "raw/celeba", {**files, "img_align_celeba.zip": files["img_align_celeba.zip"][:-100]})
    with pytest.raises(ValueError, match=r"img_align_celeba\.zip: not a whole zip archive"):
        prepare(tmp_path, "celeba")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.jpg 0\n2.jpg 3\n", "line 2: '2.jpg 3' is not a file name and a part"),
        ("1.jpg\n", "line 1"),
        ("1.jpg 0\n2.jpg 1\n", "no photograph belongs to part 2, the test split"),
    ],
)
def test_a_wrong_partition_list_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_partition(path)


def test_a_photograph_smaller_than_the_crop_is_refused(tmp_path):
    files = celeba_files(per_part=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in (1, 2, 3):
            archive.writestr(f"img_align_celeba/{number:06d}.jpg", jpeg(np.zeros((130, 178, 3), np.uint8)))
    place(tmp_path / "raw/celeba", {**files, "img_align_celeba.zip": packed.getvalue()})
    with pytest.raises(ValueError, match="it is 178x130, smaller than the crop of 140x140"):
        prepare(tmp_path, "celeba")
