"""torchvision's own download code against a server on loopback that misbehaves in every usual way."""

import resource
import shutil
import socket
import subprocess
import sys
import types
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from published_files import (
    celeba_files,
    cifar_batches,
    cifar_tar,
    md5,
    mnist_content,
    place,
    serve,
    small_mnist,
)

from maskaae.data.dataset import load_dataset
from maskaae.data.published import celeba, cifar, mnist
from maskaae.data.published.download import DownloadError, archives, download
from maskaae.data.registry import SOURCES, resolve

IMAGES = "train-images-idx3-ubyte.gz"
PLACE = f"MNIST/raw/{IMAGES}"


def fetch(source, raw):
    return download(source, raw, attempts=2, pause=0.0, timeout=0.5)


def left_in(raw):
    return sorted(str(path.relative_to(raw)) for path in raw.rglob("*") if path.is_file())


@pytest.fixture
def mnist_server(monkeypatch):
    """A server of a small MNIST, with torchvision's class told its address and checksums."""
    from torchvision.datasets import MNIST

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = small_mnist()
    with serve(files) as server:
        monkeypatch.setattr(MNIST, "mirrors", [server.address])
        monkeypatch.setattr(MNIST, "resources", [(name, md5(body)) for name, body in files.items()])
        monkeypatch.setitem(mnist.CONTENT, "mnist", mnist_content(files))
        yield server


def test_mnist_is_fetched_checked_and_prepared(mnist_server, tmp_path):
    manifest = fetch("mnist", tmp_path)
    assert sorted(manifest["files"]) == sorted(SOURCES["mnist"].raw_files) == left_in(tmp_path)
    assert manifest["files"][PLACE]["md5"] == md5((tmp_path / PLACE).read_bytes())
    spec = resolve({"name": "mnist", "source": "mnist"})
    info = SOURCES["mnist"].prepare(spec, tmp_path, tmp_path / "mnist")
    assert (info.n_train, info.n_test, info.shape, info.classes) == (70, 20, (28, 28, 1), 10)


def test_files_put_there_by_hand_need_no_network(mnist_server, tmp_path):
    place(tmp_path / "MNIST/raw", mnist_server.files)
    assert fetch("mnist", tmp_path)["files"].keys() == set(SOURCES["mnist"].raw_files)
    assert mnist_server.requests == []


def test_only_the_missing_file_is_fetched(mnist_server, tmp_path):
    place(tmp_path / "MNIST/raw", mnist_server.files)
    (tmp_path / PLACE).unlink()
    fetch("mnist", tmp_path)
    assert set(mnist_server.requests) == {IMAGES}


@pytest.mark.parametrize("misbehaviour", [503, "truncate", "html", "stall"])
def test_a_failure_that_passes_is_overcome_by_trying_again(mnist_server, tmp_path, misbehaviour):
    mnist_server.answers[IMAGES] = [misbehaviour]
    fetch("mnist", tmp_path)
    assert (tmp_path / PLACE).read_bytes() == mnist_server.files[IMAGES]


def test_a_second_mirror_is_tried(mnist_server, tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", mnist_server.address])
    fetch("mnist", tmp_path)
    assert left_in(tmp_path) == sorted(SOURCES["mnist"].raw_files)


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        (404, "HTTPError: HTTP Error 404"),
        (503, "HTTPError: HTTP Error 503"),
        ("html", "not the published file: 55 bytes, an HTML page"),
        (b"something else", "not the published file: 14 bytes, md5"),
        ("stall", "timed out"),
    ],
)
def test_a_failure_that_stays_says_which_file_to_put_where(mnist_server, tmp_path, misbehaviour, reason):
    mnist_server.always[IMAGES] = misbehaviour
    with pytest.raises(DownloadError) as failure:
        fetch("mnist", tmp_path)
    message = str(failure.value)
    assert reason in message
    assert str(tmp_path / PLACE) in message
    assert md5(mnist_server.files[IMAGES]) in message
    assert left_in(tmp_path) == []


def test_a_truncated_file_leaves_nothing_behind(mnist_server, tmp_path):
    mnist_server.always[IMAGES] = "truncate"
    with pytest.raises(DownloadError, match="could not be fetched, 2 attempts"):
        fetch("mnist", tmp_path)
    assert left_in(tmp_path) == []


def test_without_network_the_error_says_which_file_to_put_where(mnist_server, tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DownloadError, match="refused") as failure:
        fetch("mnist", tmp_path)
    assert str(tmp_path / PLACE) in str(failure.value)


def test_a_wrong_file_put_there_by_hand_is_named_and_left_alone(mnist_server, tmp_path):
    place(tmp_path / "MNIST/raw", {**mnist_server.files, IMAGES: b"<html>Sorry</html>"})
    with pytest.raises(DownloadError, match=r"train-images.*not the published file: 18 bytes, an HTML page"):
        fetch("mnist", tmp_path)
    assert (tmp_path / PLACE).read_bytes() == b"<html>Sorry</html>"
    assert mnist_server.requests == []


def test_what_a_killed_download_left_is_no_obstacle(mnist_server, tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = f"{md5(mnist_server.files[IMAGES])}+{socket.gethostname()}+{dead.pid}+abc"
    half = tmp_path / ".incoming" / name
    place(half, {IMAGES: mnist_server.files[IMAGES][:100]})
    fetch("mnist", tmp_path)
    assert (tmp_path / PLACE).read_bytes() == mnist_server.files[IMAGES]
    assert not half.exists()


def test_a_full_disk_is_named_at_once_and_nothing_stays(mnist_server, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(DownloadError, match=f"no space left for {IMAGES}"):
            fetch("mnist", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(tmp_path) == []
    assert (
        mnist_server.requests.count(IMAGES) == 2
    )  # one look at the address, one download: no second attempt


def test_cifar_is_fetched_and_prepared_with_its_own_split(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    body = cifar_tar()
    for name, batch in cifar_batches().items():
        monkeypatch.setitem(cifar.CONTENT, name, md5(batch))
    with serve({"cifar-10-python.tar.gz": body}) as server:
        monkeypatch.setattr(CIFAR10, "url", server.address + "cifar-10-python.tar.gz")
        monkeypatch.setattr(CIFAR10, "tgz_md5", md5(body))
        fetch("cifar10", tmp_path)
    spec = resolve({"name": "cifar10", "source": "cifar10"})
    info = SOURCES["cifar10"].prepare(spec, tmp_path, tmp_path / "cifar10")
    prepared = load_dataset(tmp_path / "cifar10")
    assert (info.n_train, info.n_test, info.shape, info.classes) == (60, 12, (32, 32, 3), 10)
    assert set(prepared.train[:, 0, 0, 0]) == {1, 2, 3, 4, 5}
    assert set(prepared.test[:, 0, 0, 0]) == {6}
    np.testing.assert_array_equal(prepared.train[..., 2], prepared.train[..., 0] + 100)


@pytest.fixture
def drive(monkeypatch):
    """Google Drive: a stand-in for gdown's request, torchvision's code around it and a server behind it."""
    from torchvision.datasets import CelebA

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = celeba_files()
    known = [(f"id-of-{name}", md5(body), name) for name, body in files.items()]
    monkeypatch.setattr(CelebA, "file_list", known)
    for name, body in files.items():
        monkeypatch.setitem(celeba.CONTENT, name, md5(body))
    with serve(files) as server:

        def request(id, output, quiet, user_agent):
            address = server.address + id.removeprefix("id-of-")
            with urllib.request.urlopen(address) as answer, Path(output).open("wb") as file:
                shutil.copyfileobj(answer, file)

        stand_in = types.ModuleType("gdown")
        stand_in.download = request
        stand_in.__spec__ = types.SimpleNamespace(name="gdown")
        monkeypatch.setitem(sys.modules, "gdown", stand_in)
        yield server


def test_celeba_comes_from_google_drive(drive, tmp_path):
    fetch("celeba", tmp_path)
    assert left_in(tmp_path) == sorted(SOURCES["celeba"].raw_files)


def test_google_drives_quota_page_says_which_file_to_put_where(drive, tmp_path):
    drive.always["img_align_celeba.zip"] = "html"
    with pytest.raises(DownloadError, match="an HTML page") as failure:
        fetch("celeba", tmp_path)
    assert str(tmp_path / "celeba/img_align_celeba.zip") in str(failure.value)
    assert left_in(tmp_path) == ["celeba/list_eval_partition.txt"]


def test_without_gdown_the_error_says_which_file_to_put_where(drive, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(DownloadError, match="gdown; it is not installed") as failure:
        fetch("celeba", tmp_path)
    assert str(tmp_path / "celeba/list_eval_partition.txt") in str(failure.value)
    assert drive.requests == []


@pytest.mark.parametrize(
    "source", [source for source in SOURCES.values() if source.raw_files], ids=lambda s: s.name
)
def test_the_registry_names_the_files_that_torchvision_publishes(source):
    published = archives(source.name)
    assert sorted(archive.path for archive in published) == sorted(source.raw_files)
    assert all(len(archive.md5) == 32 and archive.addresses for archive in published)


def test_batches_and_photographs_are_known_by_torchvisions_checksums():
    from torchvision.datasets import CIFAR10, CelebA

    batches = [*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])]
    assert dict(map(tuple, batches)) == cifar.CONTENT
    assert {file: checksum for _, checksum, file in CelebA.file_list}.items() >= celeba.CONTENT.items()


def test_the_docs_list_the_hash_of_every_part_of_both_mnists():
    lines = (Path(__file__).parents[3] / "docs" / "data.md").read_text().splitlines()
    for source, parts in mnist.CONTENT.items():
        for part, right in parts.items():
            assert any(f"`{source}`" in line and f"`{part}`" in line and right in line for line in lines), (
                part
            )


def test_the_docs_list_every_file_with_its_checksum():
    lines = (Path(__file__).parents[3] / "docs" / "data.md").read_text().splitlines()
    for source in SOURCES.values():
        for archive in archives(source.name) if source.raw_files else ():
            assert any(f"`{archive.path}`" in line and archive.md5 in line for line in lines), archive.path
