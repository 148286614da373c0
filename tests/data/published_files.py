"""Small archives in the formats of the published data sets, and a server on loopback that can misbehave."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
from PIL import Image


def idx_gz(array):
    """An array of uint8 as a gzipped IDX file."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 0x08, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def mnist_files(train, train_labels, test, test_labels):
    """The four files of MNIST by name; images `(N, 28, 28)`."""
    return {
        "train-images-idx3-ubyte.gz": idx_gz(train),
        "train-labels-idx1-ubyte.gz": idx_gz(train_labels),
        "t10k-images-idx3-ubyte.gz": idx_gz(test),
        "t10k-labels-idx1-ubyte.gz": idx_gz(test_labels),
    }


def mnist_content(files):
    """SHA-256 of the values in each of the gzipped IDX files, by the name of its part."""
    return {
        name.removesuffix("-ubyte.gz"): hashlib.sha256(_values(gzip.decompress(body))).hexdigest()
        for name, body in files.items()
    }


def _values(idx):
    return idx[4 + 4 * idx[3] :]


def arrays(files):
    """Keras' names of the arrays in the gzipped IDX files of MNIST, and the arrays."""
    unpacked = {name: gzip.decompress(body) for name, body in files.items()}
    shape = {name: struct.unpack(f">{idx[3]}I", idx[4 : 4 + 4 * idx[3]]) for name, idx in unpacked.items()}
    flat = {
        name: np.frombuffer(_values(idx), np.uint8).reshape(shape[name]) for name, idx in unpacked.items()
    }
    return {
        f"{'x' if 'images' in name else 'y'}_{'train' if name.startswith('train') else 'test'}": values
        for name, values in flat.items()
    }


def hub_parquet(images, labels, image="image"):
    """A parquet file as the hub has them: pictures as png in a column of structs, and labels."""
    pictures = []
    for number, pixels in enumerate(images):
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "PNG")
        pictures.append({"bytes": png.getvalue(), "path": f"{number}.png"})
    file = io.BytesIO()
    pd.DataFrame({image: pictures, "label": np.asarray(labels, np.int64)}).to_parquet(file)
    return file.getvalue()


def small_mnist(train=70, test=20):
    """Training images are all darker than 100, test images all lighter than 150: they cannot be mistaken."""
    rng = np.random.default_rng(0)
    return mnist_files(
        rng.integers(0, 100, (train, 28, 28), dtype=np.uint8),
        np.arange(train, dtype=np.uint8) % 10,
        rng.integers(150, 256, (test, 28, 28), dtype=np.uint8),
        np.arange(test, dtype=np.uint8) % 10,
    )


CIFAR_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def cifar_batches(per_batch=12):
    """CIFAR-10's files by name; every pixel of batch i is i (the test batch: 6), its blue is 100 more.

    The pixel in row 3, column 5 is lighter by 20.
    """
    content = {"batches.meta": {"label_names": CIFAR_NAMES, "num_cases_per_batch": per_batch}}
    for number, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"], start=1):
        data = np.full((per_batch, 3, 32, 32), number, dtype=np.uint8)
        data[:, 2] += 100
        data[:, :, 3, 5] += 20
        labels = [i % 10 for i in range(per_batch)]
        content[name] = {"data": data.reshape(per_batch, -1), "labels": labels}
    return {name: pickle.dumps(batch, protocol=2) for name, batch in content.items()}


def cifar_tar(per_batch=12):
    """A tar of CIFAR-10's batches, gzipped."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, body in cifar_batches(per_batch).items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()


def jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def celeba_files(per_part=4):
    """CelebA's zip and partition list: part p (0 train, 1 valid, 2 test) has grey 40 + 80 p."""
    packed, lines = io.BytesIO(), []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for number in range(3 * per_part):
            part, name = number % 3, f"{number + 1:06d}.jpg"
            archive.writestr(
                f"img_align_celeba/{name}", jpeg(np.full((218, 178, 3), 40 + 80 * part, np.uint8))
            )
            lines.append(f"{name} {part}\n")
    return {"img_align_celeba.zip": packed.getvalue(), "list_eval_partition.txt": "".join(lines).encode()}


def md5(content):
    return hashlib.md5(content).hexdigest()


def place(folder, files):
    """Put files into a folder, as a user does by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


class Server:
    """Serves `files` by the last part of the path; `answers` says how a file's next requests are answered.

    Answers: an HTTP status as int, "truncate" (half of the promised bytes), "html", "stall", or bytes to send
    in place of the file. When they run out the file is served as `always` says, or as it is.
    """

    def __init__(self, port, files):
        self.address = f"http://127.0.0.1:{port}/"
        self.files = dict(files)
        self.answers = {}
        self.always = {}
        self.requests = []
        self.closing = threading.Event()

    def next_answer(self, name):
        queued = self.answers.get(name)
        return queued.pop(0) if queued else self.always.get(name)


@contextmanager
def serve(files):
    """Run a `Server` on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2]
            state.requests.append(name)
            answer = state.next_answer(name)
            if isinstance(answer, int):
                self.send_error(answer)
                return
            if answer == "stall":
                state.closing.wait(30)
                return
            body = state.files[name]
            if answer == "html":
                body = b"<!DOCTYPE html><html><body>Quota exceeded</body></html>"
            if isinstance(answer, bytes):
                body = answer
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer == "truncate" else body)

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(httpd.server_port, files)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
