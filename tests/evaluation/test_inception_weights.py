"""Inception weights: used when put there by hand, fetched and checked otherwise, refused when wrong."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from maskaae.evaluation.inception import WEIGHTS_NAME, fetch_inception_weights

CONTENT = b"weights " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def address(tmp_path):
    """Address of a file of weights on a server of our own."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "weights.pth").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/weights.pth"
    server.shutdown()


def test_fetched_file_is_checked_and_copied(tmp_path, address):
    fetch_inception_weights(tmp_path / "raw", tmp_path / "out.pth", address=address, sha256=SHA256)
    assert (tmp_path / "out.pth").read_bytes() == CONTENT
    assert (tmp_path / "raw" / WEIGHTS_NAME).read_bytes() == CONTENT


def test_file_put_there_by_hand_needs_no_network_and_stays(tmp_path):
    (tmp_path / WEIGHTS_NAME).write_bytes(CONTENT)
    fetch_inception_weights(tmp_path, tmp_path / "out.pth", address="http://127.0.0.1:9/none", sha256=SHA256)
    assert (tmp_path / "out.pth").read_bytes() == (tmp_path / WEIGHTS_NAME).read_bytes() == CONTENT


def test_wrong_file_put_there_by_hand_is_refused(tmp_path):
    (tmp_path / WEIGHTS_NAME).write_bytes(b"<html>quota exceeded</html>")
    with pytest.raises(ValueError, match=f"{WEIGHTS_NAME}: sha256 is .*, expected {SHA256}"):
        fetch_inception_weights(tmp_path, tmp_path / "out.pth", sha256=SHA256)


@pytest.mark.parametrize("fault", ["no server", "wrong content", "not found"])
def test_failed_download_says_which_file_to_put_where_and_leaves_nothing(tmp_path, address, fault):
    bad = {"no server": "http://127.0.0.1:9/none", "not found": address + ".gone", "wrong content": address}[
        fault
    ]
    with pytest.raises(ConnectionError, match=f"fetch {WEIGHTS_NAME} elsewhere and put it at .*raw"):
        fetch_inception_weights(tmp_path / "raw", tmp_path / "out.pth", address=bad, sha256="0" * 64)
    assert list((tmp_path / "raw").iterdir()) == []
    assert not (tmp_path / "out.pth").exists()
