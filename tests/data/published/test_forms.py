"""Published data sets in the forms in which people have them: known by what is inside, without network."""

import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest
from published_files import (
    CIFAR_NAMES,
    arrays,
    celeba_files,
    cifar_batches,
    cifar_tar,
    hub_parquet,
    md5,
    mnist_content,
    place,
    small_mnist,
)

from maskaae.data.dataset import load_dataset
from maskaae.data.published import celeba, cifar, mnist
from maskaae.data.published.download import DownloadError, download
from maskaae.data.registry import SOURCES, resolve

FILES = small_mnist()
ARRAYS = arrays(FILES)
BATCHES = cifar_batches()


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """Small data sets in place of the published ones, and no network."""
    for source in ("mnist", "fashion_mnist"):
        monkeypatch.setitem(mnist.CONTENT, source, mnist_content(FILES))
    for name, body in BATCHES.items():
        monkeypatch.setitem(cifar.CONTENT, name, md5(body))
    for name, body in celeba_files().items():
        monkeypatch.setitem(celeba.CONTENT, name, md5(body))
    monkeypatch.setattr("maskaae.data.published.download._fetch", refuse_to_fetch)


def refuse_to_fetch(archive, *_):
    raise AssertionError(f"{archive.path} would have been fetched")


def take(tmp_path, source, **keys):
    """Look for the files, check and prepare them as the two rules do; return the data set."""
    raw = tmp_path / "raw"
    verify = keys.get("verify", True)
    assert download(source, raw, verify=verify)["verified"] is verify
    spec = resolve({"name": "toy", "source": source, **keys})
    SOURCES[source].prepare(spec, raw, tmp_path / "out")
    return load_dataset(tmp_path / "out")


def npz():
    file = io.BytesIO()
    np.savez_compressed(file, **ARRAYS)
    return file.getvalue()


def parquet(split):
    return hub_parquet(ARRAYS[f"x_{split}"], ARRAYS[f"y_{split}"])


def halves(split):
    """The hub's files of a split that is large enough for two."""
    images, labels = ARRAYS[f"x_{split}"], ARRAYS[f"y_{split}"]
    return {
        f"{split}-0000{half}-of-00002.parquet": hub_parquet(images[rows], labels[rows])
        for half, rows in enumerate((slice(0, 30), slice(30, None)))
    }


IDX_FORMS = {
    "packed again": {name: gzip.compress(gzip.decompress(body), 1) for name, body in FILES.items()},
    "unpacked": {name.removesuffix(".gz"): gzip.decompress(body) for name, body in FILES.items()},
    "with a point": {name.replace("-idx", ".idx"): body for name, body in FILES.items()},
    "with a point, unpacked": {
        name.replace("-idx", ".idx").removesuffix(".gz"): gzip.decompress(body)
        for name, body in FILES.items()
    },
}
MNIST_FORMS = {
    **{f"IDX {form}": ("MNIST/raw", "IDX files", files) for form, files in IDX_FORMS.items()},
    "IDX beside other files": ("MNIST", "IDX files", {**FILES, "notes.txt": b"from a friend"}),
    "Keras' npz": ("", "npz file", {"mnist.npz": npz()}),
    "npz in the folder": ("MNIST", "npz file", {"mnist.npz": npz()}),
    "the hub's parquet files": (
        "MNIST/mnist",
        "parquet files",
        {f"{split}-00000-of-00001.parquet": parquet(split) for split in ("train", "test")},
    ),
    "parquet files in pieces": (
        "mnist/data",
        "parquet files",
        {**halves("train"), "test-00000-of-00001.parquet": parquet("test")},
    ),
}


@pytest.mark.parametrize("form", MNIST_FORMS)
def test_mnist_is_known_in_every_form(tmp_path, form):
    folder, name, files = MNIST_FORMS[form]
    place(tmp_path / "raw" / folder, files)
    taken = take(tmp_path, "mnist")
    assert (taken.info.details["form"], taken.info.details["verified"]) == (name, True)
    np.testing.assert_array_equal(taken.train[..., 0], ARRAYS["x_train"])
    np.testing.assert_array_equal(taken.test[..., 0], ARRAYS["x_test"])
    np.testing.assert_array_equal(taken.train_labels, ARRAYS["y_train"])
    np.testing.assert_array_equal(taken.test_labels, ARRAYS["y_test"])


def test_keras_folder_of_fashion_mnist_is_taken(tmp_path):
    place(tmp_path / "raw/fashion-mnist", FILES)
    taken = take(tmp_path, "fashion_mnist")
    assert taken.info.details["label_names"][9] == "Ankle boot"


def test_the_rest_of_a_data_set_is_fetched_beside_what_is_there_unpacked(tmp_path, monkeypatch):
    present = dict(list(IDX_FORMS["unpacked"].items())[:3])
    place(tmp_path / "raw/MNIST/raw", present)
    fetched = []

    def fetch(archive, raw, *_):
        fetched.append(archive.path)
        place(raw / "MNIST/raw", {"t10k-labels-idx1-ubyte.gz": FILES["t10k-labels-idx1-ubyte.gz"]})

    monkeypatch.setattr("maskaae.data.published.download._fetch", fetch)
    take(tmp_path, "mnist")
    assert fetched == ["MNIST/raw/t10k-labels-idx1-ubyte.gz"]


@pytest.mark.parametrize("form", ["IDX unpacked", "Keras' npz", "the hub's parquet files"])
def test_one_pixel_that_is_another_is_refused_unless_taken_on_the_users_word(tmp_path, monkeypatch, form):
    folder, _, files = MNIST_FORMS[form]
    place(tmp_path / "raw" / folder, files)
    right = "0" * 64
    monkeypatch.setitem(mnist.CONTENT["mnist"], "train-images-idx3", right)
    with pytest.raises(DownloadError, match=rf"not the published file.*train-images.*where {right} is right"):
        download("mnist", tmp_path / "raw")
    spec = resolve({"name": "toy", "source": "mnist"})
    with pytest.raises(ValueError, match="not the published file"):
        SOURCES["mnist"].prepare(spec, tmp_path / "raw", tmp_path / "out")
    assert take(tmp_path, "mnist", verify=False).info.details["verified"] is False


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mnist.npz", b"PK not really", "mnist.npz is not the published file: 13 bytes"),
        ("MNIST/train-0.parquet", b"<html>Sorry</html>", "18 bytes, an HTML page"),
        (
            "MNIST/train-0.parquet",
            hub_parquet(ARRAYS["x_test"], ARRAYS["y_test"], "picture"),
            "picture, label",
        ),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_it_is(tmp_path, name, content, message):
    place((tmp_path / "raw" / name).parent, {name.rpartition("/")[2]: content})
    place(tmp_path / "raw/MNIST", {"test-0.parquet": parquet("test")})
    with pytest.raises(DownloadError, match=message):
        download("mnist", tmp_path / "raw")


def repacked_cifar():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, body in reversed(BATCHES.items()):
            member = tarfile.TarInfo(f"./cifar-10-batches-py/{name}")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("folder", "files", "form"),
    [
        ("", {"cifar-10-python.tar.gz": cifar_tar()}, "tar of batches"),
        ("cifar10", {"cifar-10-python.tar": repacked_cifar()}, "tar of batches"),
        ("cifar-10-batches-py", BATCHES, "folder of batches"),
        ("cifar10/cifar-10-batches-py", {**BATCHES, "readme.html": b""}, "folder of batches"),
    ],
)
def test_cifar_is_known_packed_by_anyone_and_unpacked(tmp_path, folder, files, form):
    place(tmp_path / "raw" / folder, files)
    taken = take(tmp_path, "cifar10")
    assert taken.info.details["form"] == form
    assert [images[0, 0, 0].tolist() for images in (taken.train, taken.test)] == [[1, 1, 101], [6, 6, 106]]
    assert taken.train[:, 0, 0, 0].tolist() == sorted(taken.train[:, 0, 0, 0])


def test_a_batch_that_is_another_is_refused(tmp_path):
    files = {**BATCHES, "data_batch_2": BATCHES["data_batch_3"]}
    place(tmp_path / "raw/cifar-10-batches-py", files)
    with pytest.raises(DownloadError, match=r"data_batch_2 is not the published file: .* with md5"):
        download("cifar10", tmp_path / "raw")


def test_cifars_parquet_files_are_taken_on_the_users_word_alone(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (90, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(90) % 10
    files = {
        "train-00000-of-00001.parquet": hub_parquet(images[:70], labels[:70], "img"),
        "test-00000-of-00001.parquet": hub_parquet(images[70:], labels[70:], "img"),
    }
    place(tmp_path / "raw/cifar10/plain_text", files)
    with pytest.raises(DownloadError, match=r"no hash of the published parquet files .*`verify: false`"):
        download("cifar10", tmp_path / "raw")
    taken = take(tmp_path, "cifar10", verify=False)
    np.testing.assert_array_equal(taken.train, images[:70])
    np.testing.assert_array_equal(taken.test_labels, labels[70:])
    assert taken.info.details["label_names"] == CIFAR_NAMES
    assert taken.info.details["verified"] is False


def celeba_folder():
    files = celeba_files()
    with zipfile.ZipFile(io.BytesIO(files["img_align_celeba.zip"])) as archive:
        photographs = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    return photographs, files["list_eval_partition.txt"].decode()


@pytest.mark.parametrize("table", [False, True])
def test_celebas_folder_of_photographs_is_taken_on_the_users_word_alone(tmp_path, table):
    photographs, partition = celeba_folder()
    name = f"list_eval_partition.{'csv' if table else 'txt'}"
    rows = ["image_id,partition", *(line.replace(" ", ",") for line in partition.splitlines())]
    folder = "img_align_celeba/img_align_celeba" if table else "img_align_celeba"
    place(tmp_path / "raw/celeba" / folder, photographs)
    place(tmp_path / "raw/celeba", {name: ("\n".join(rows) if table else partition).encode()})
    with pytest.raises(DownloadError, match=r"no hash of the published folder of photographs"):
        download("celeba", tmp_path / "raw")
    taken = take(tmp_path, "celeba", verify=False)
    assert taken.info.details["form"] == "folder of photographs"
    assert [round(float(images.mean()), -1) for images in (taken.train, taken.test)] == [40, 200]


def test_a_zip_packed_again_is_refused_and_taken_on_the_users_word(tmp_path):
    files = celeba_files()
    files["img_align_celeba.zip"] += b" "
    place(tmp_path / "raw/celeba", files)
    with pytest.raises(DownloadError, match=r"img_align_celeba\.zip is not the published file: .* md5"):
        download("celeba", tmp_path / "raw")
    assert take(tmp_path, "celeba", verify=False).info.n_train == 4
