"""Broken data files: how each is made, as which source it is read, and what a user must read."""

import gzip
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

GOOD_TABLE = "a,b,c\n" + "\n".join(f"{i / 2},{i % 7},{i * i % 11}" for i in range(120)) + "\n"
GOOD_ARRAY = np.random.default_rng(0).normal(size=(120, 3))


class Trap:
    """Unpickled, it writes a file: the proof that foreign code ran."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("trapped"),)


@dataclass(frozen=True)
class Case:
    """A broken file.

    Attributes
    ----------
    source : str
        `table`, `array` or `images`.
    name : str
        Name of the file, or of the folder for images.
    make : callable or str or bytes
        What is in it; for images a function that fills the folder.
    says : str
        Regular expression of the message.
    keys : dict
        Further keys of the configuration's entry.
    """

    source: str
    name: str
    make: Callable[[Path], None] | str | bytes
    says: str
    keys: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the file, or fill the folder."""
        if self.source == "images":
            path.mkdir()
        if callable(self.make):
            self.make(path)
        elif isinstance(self.make, str):
            path.write_text(self.make, encoding="utf-8")
        else:
            path.write_bytes(self.make)


def npy(array: np.ndarray, **keywords: Any) -> bytes:
    """Return the bytes of an npy file."""
    file = io.BytesIO()
    np.save(file, array, **keywords)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    """Return the bytes of an npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    """Return the bytes of a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def spoilt(row: int, column: int, value: float) -> np.ndarray:
    """Return the good array with one other value."""
    array = GOOD_ARRAY.copy()
    array[row, column] = value
    return array


def changed_line(line: int, text: str) -> str:
    """Return the good table with another line (from 1)."""
    lines = GOOD_TABLE.splitlines()
    lines[line - 1] = text
    return "\n".join(lines) + "\n"


def images(count: int = 90, size: tuple[int, int] = (6, 6), mode: str = "L") -> Callable[[Path], None]:
    """Return a function that fills a folder."""

    def fill(folder: Path) -> None:
        for number in range(count):
            Image.new(mode, size, number).save(folder / f"{number:03d}.png")

    return fill


def with_file(name: str, content: bytes) -> Callable[[Path], None]:
    """Return a function that fills a folder with good images and one file more."""

    def fill(folder: Path) -> None:
        images()(folder)
        (folder / name).write_bytes(content)

    return fill


def dangling_link(path: Path) -> None:
    """Make a link to nowhere."""
    path.symlink_to(path.with_name("nowhere"))


def bomb(folder: Path) -> None:
    """Write an image whose header promises more pixels than any memory holds."""
    images()(folder)
    content = bytearray((folder / "000.png").read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    import zlib

    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    (folder / "000.png").write_bytes(bytes(content))


IDX = b"\0\0\x08\x03" + struct.pack(">III", 120, 2, 2) + bytes(480)

CASES = [
    # tables
    Case("table", "t.csv", "", r"t\.csv: the file is empty"),
    Case("table", "t.csv", "\n\n\n", r"t\.csv: the file is empty"),
    Case("table", "t.csv", "a,b,c\n", "t.csv: .*(no rows|examples to train on)"),
    Case("table", "t.csv", "a,b,c\n1,2,3\n", "1 examples to train on|fewer"),
    Case("table", "t.csv", changed_line(5, "1,2"), r"t\.csv, line 5: 2 fields where the first line has 3"),
    Case("table", "t.csv", changed_line(5, "1,2,3,4"), r"t\.csv, line 5: 4 fields where"),
    Case("table", "t.csv", changed_line(5, "1,,3"), r"line 5, column 'b': the value is missing"),
    Case("table", "t.csv", changed_line(5, "1,NA,3"), r"line 5, column 'b': the value is missing"),
    Case("table", "t.csv", changed_line(5, "1,1e999,3"), r"line 5, column 'b': .* is not a finite number"),
    Case("table", "t.csv", changed_line(5, "1,-inf,3"), r"line 5, column 'b': '-inf' is not a finite number"),
    Case("table", "t.csv", changed_line(5, "1,2;5,3"), r"line 5: 2 fields|column 'b': '2;5' is not a finite"),
    Case("table", "t.csv", changed_line(5, "1,0x1F,3"), r"column 'b': '0x1F' is not a finite number"),
    Case("table", "t.csv", changed_line(5, "1,12 kg,3"), r"column 'b': '12 kg' is not a finite number"),
    Case("table", "t.csv", changed_line(5, '"1,2,3'), r"t\.csv, line \d+: 1 fields|cannot be read as text"),
    Case("table", "t.csv", changed_line(1, "a,a,c"), r"line 1: more than one column is called a"),
    Case("table", "t.csv", changed_line(1, "a,7,c"), "line 1: cannot tell whether a, 7, c .* are names"),
    Case("table", "t.csv", b"a,b\n1,\xe9\n2,\xe9\n", "hold no numbers: b "),
    Case("table", "t.csv", bytes(range(1, 9)) * 99, "it holds bytes that no text has"),
    Case("table", "t.csv", "a;b\n" + "1,234;5\n" * 99, "'1,234' may be 1.234 or 1234; say which by"),
    Case("table", "t.csv", "a;b\n" + "1,5;2.5\n" * 99, "'1,5' has a decimal comma and '2.5' a"),
    Case("table", "t.csv", changed_line(5, "1,1e300,3"), r"line 5, column 'b': 1e\+300 is too large"),
    Case("table", "t.csv", "by hand\n" + GOOD_TABLE, r"1: 1 fields .* has 3; .*\n.*skip_lines=1"),
    Case("table", "t.csv", GOOD_TABLE, "encoding: 'utf-9' is unknown; give one", {"encoding": "utf-9"}),
    Case("table", "t.csv", GOOD_TABLE, "columns and drop are both", {"columns": ["a"], "drop": ["b"]}),
    Case("table", "t.csv", GOOD_TABLE, "there is no column 'z'", {"drop": ["z"]}),
    Case("table", "t.csv.gz", gzip.compress(GOOD_TABLE.encode(), mtime=0)[:60], r"t\.csv\.gz: damaged"),
    Case("table", "t.csv.xz", b"\xfd7zXZ\0" + bytes(60), r"t\.csv\.xz: damaged"),
    Case("table", "t.csv.zip", zipped(**{"a.csv": b"1,2", "b.csv": b"1,2"}), "archive of 2 files, none"),
    Case("table", "t.xlsx", zipped(**{"xl/workbook.xml": b"<a/>"}), "be read as xlsx|needs openpyxl"),
    Case("table", "t.parquet", b"PAR1" + bytes(50), "cannot be read as parquet"),
    Case("table", "t.csv", pickle.dumps(Trap()), "cannot be read as text|t.csv"),
    Case("table", "t.csv", dangling_link, r"t\.csv: no such file"),
    Case("table", "t.csv", Path.mkdir, r"t\.csv: no such file"),
    Case("table", "t.csv", GOOD_TABLE, "there is no column 'z'; the columns are a, b, c", {"columns": ["z"]}),
    Case("table", "t.csv", GOOD_TABLE, "there is no column 'z'", {"label_column": "z"}),
    Case("table", "t.csv", GOOD_TABLE, "no column holds numbers: a,b,c .*; if the fields .*';'",
         {"delimiter": ";", "header": True}),
    Case("table", "t.csv", GOOD_TABLE, "other.csv: no such file", {"test_path": "other.csv"}),
    # arrays
    Case("array", "t.npy", b"", r"t\.npy"),
    Case("array", "t.npy", b"\x93NUMPY", r"t\.npy"),
    Case("array", "t.npy", npy(GOOD_ARRAY)[:-8], r"t\.npy"),
    Case("array", "t.npy", GOOD_TABLE, r"t\.npy"),
    Case("array", "t.npy", npy(np.array([Trap()] * 120), allow_pickle=True), "holds Python objects"),
    Case("array", "t.npy", pickle.dumps(Trap()), r"t\.npy"),
    Case("array", "t.npz", npz(x=np.array([[Trap()]] * 120)), "Object arrays|object"),
    Case("array", "t.npz", zipped(**{"x.txt": b"no array"}), r"t\.npz"),
    Case("array", "t.npz", zipped(), r"t\.npz"),
    Case("array", "t.npz", npz(x=GOOD_ARRAY)[:200], r"t\.npz"),
    Case("array", "t.npz", npz(x=GOOD_ARRAY, y=GOOD_ARRAY), r"it holds x \(120, 3\), y \(120, 3\); name one"),
    Case("array", "t.npz", npz(x=GOOD_ARRAY), "there is no array 'z' in it, only x", {"key": "z"}),
    Case("array", "t.npy", npy(spoilt(7, 1, np.nan)), "row 7 .*, column '1': the value is missing"),
    Case("array", "t.npy", npy(spoilt(9, 2, -np.inf)), "row 9 .*, column '2': '-inf' is not"),
    Case("array", "t.npy", npy(GOOD_ARRAY.astype(complex)), "holds complex128, not numbers"),
    Case("array", "t.npy", npy(GOOD_ARRAY.astype(str)), "holds <U32, not numbers|not numbers"),
    Case("array", "t.npy", npy(np.zeros(120)), r"shape \(120,\) is neither vectors \(N, D\) nor images"),
    Case("array", "t.npy", npy(np.zeros((120, 2, 2, 5))), r"shape \(120, 2, 2, 5\) is neither"),
    Case("array", "t.npy", npy(np.zeros((2, 2, 2, 2, 2))), "is neither vectors"),
    Case("array", "t.npy", npy(np.zeros((0, 3))), "examples to train on|shape|empty"),
    Case("array", "t.npy", npy(np.zeros((120, 0))), r"t\.npy|shape|dimension"),
    Case("array", "t.npy", npy(GOOD_ARRAY[:20]), "16 examples to train on, fewer than one batch of 64"),
    Case("array", "t.idx", IDX[:-3], r"t\.idx"),
    Case("array", "t.idx", IDX[:6], r"t\.idx"),
    Case("array", "t.idx", b"\0\0\x77\x03" + IDX[4:], r"t\.idx"),
    Case("array", "t.npy.gz", gzip.compress(npy(GOOD_ARRAY), mtime=0)[:-20], r"t\.npy\.gz"),
    Case("array", "t.npy", dangling_link, r"t\.npy: no such file"),
    # images
    Case("images", "p", lambda folder: None, "p: holds no image; their names end in"),
    Case("images", "p", images(20), "16 examples to train on, fewer than one batch of 64"),
    Case("images", "p", with_file("x.png", b""), r"x\.png: cannot be used as an image"),
    Case("images", "p", with_file("x.png", b"no picture"), r"x\.png: cannot be used as an image"),
    Case("images", "p", with_file("x.jpg", pickle.dumps(Trap())), r"x\.jpg: cannot be used as an image"),
    Case("images", "p", with_file("x.gif", b"GIF89a" + bytes(10)), r"x\.gif: cannot be used as an image"),
    Case("images", "p", bomb, r"000\.png: cannot be used as an image"),
]  # fmt: skip
