"""What a file of the user's is, by what stands in it: kind, compression, and why some are not read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

# fmt: off
Kind = Literal[
    "text", "json", "parquet", "feather", "xlsx", "ods", "xls",
    "npy", "npz", "idx", "mat", "hdf5", "safetensors",
    "zip", "tar",
]
# fmt: on
"""Kinds of file that are read: tables, arrays, and archives of images."""

TABLES: Sequence[Kind] = ("text", "json", "parquet", "feather", "xlsx", "ods", "xls")
ARRAYS: Sequence[Kind] = ("npy", "npz", "idx", "mat", "hdf5", "safetensors")

IMAGE_ENDINGS = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm"),
    *(".ppm", ".tga", ".tif", ".tiff", ".webp"),
)

DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
"""What is raised for a file that is cut short or damaged."""

MOST_RATIO = 1000
MOST_FREELY = 2**30
"""Unpacked, a file may have so many times its size, or so many bytes (our choice): more is a bomb."""

_HEAD = 4096
_PICKLE_ENDINGS = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill")
PICKLE = (
    "it is a pickle (as torch.save, joblib and pickle write): reading one runs whatever code is in it, so "
    "it is not read. Save the numbers where they were made, by numpy.save('x.npy', x) or DataFrame.to_csv, "
    "and give that file"
)
_FOREIGN_ENDINGS = (
    ".dta",
    ".sav",
    ".sas7bdat",
    ".xpt",
    ".rda",
    ".rds",
    ".rdata",
    ".numbers",
    ".mdb",
    ".root",
)
_MAGIC: Sequence[tuple[bytes, Kind]] = (
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "feather"),
    (b"FEA1", "feather"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"MATLAB 5.0", "mat"),
    (b"MATLAB 7.3", "hdf5"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
)
_SAVE_AS_CSV = "save it as csv or parquet where it was made"
_SAVE_AS_NETCDF4 = "xarray.open_dataset(path).to_netcdf('x.nc', format='NETCDF4') makes what is"
_ONE_IMAGE = "one image; give the folder that holds all images"
_STACK = f"{_ONE_IMAGE}; of a stack, numpy.save('x.npy', tifffile.imread(path)) makes what is read"
_FOREIGN: Sequence[tuple[bytes, str]] = (
    (b"\x89PNG", _ONE_IMAGE),
    (b"\xff\xd8\xff", _ONE_IMAGE),
    (b"GIF8", _ONE_IMAGE),
    (b"II*\0", _STACK),
    (b"MM\0*", _STACK),
    (b"P5\n", _ONE_IMAGE),
    (b"P6\n", _ONE_IMAGE),
    (b"%PDF", f"a PDF; {_SAVE_AS_CSV}"),
    (b"SQLite format 3", f"a database; {_SAVE_AS_CSV}"),
    (b"ORC", f"an ORC file; {_SAVE_AS_CSV}"),
    (b"<stata_dta>", f"a Stata file; {_SAVE_AS_CSV}"),
    (b"$FL2", f"an SPSS file; {_SAVE_AS_CSV}"),
    (b"RDX", f"an R workspace; {_SAVE_AS_CSV}"),
    (b"X\n\0\0\0", f"an R object; {_SAVE_AS_CSV}"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it, or pack it as zip or tar"),
    (b"Rar!", "a rar archive; unpack it, or pack it as zip or tar"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it, or compress it by gzip"),
    (b"\x1f\x9d", "compressed by compress; unpack it, or compress it by gzip"),
    (b"\x04\x22\x4d\x18", "compressed by lz4; unpack it, or compress it by gzip"),
    (b"]\0\0", "compressed by lzma; unpack it, or compress it by xz"),
    (b"\x1f\x8b", "compressed more than once; unpack it until one compression is left"),
    (b"\xff\xff\xff\xff", "a stream of Arrow; save it as feather or parquet"),
    (b"CDF\x01", f"a netCDF file of version 3; {_SAVE_AS_NETCDF4}"),
    (b"CDF\x02", f"a netCDF file of version 3; {_SAVE_AS_NETCDF4}"),
    (
        b"%%MatrixMarket",
        "a Matrix Market file; scipy.sparse.save_npz('x.npz', scipy.sparse.csr_array(scipy.io.mmread(path))) "
        "makes what is (with .T behind mmread(path) if the examples are its columns)",
    ),
    (b"SIMPLE  =", "a FITS file; numpy.save('x.npy', astropy.io.fits.getdata(path)) makes what is"),
    (b"Obj\x01", f"an Avro file; {_SAVE_AS_CSV}"),
    (b"\x7fELF", "a program"),
    (b"<!DOCTYPE", f"a web page; {_SAVE_AS_CSV}"),
    (b"<html", f"a web page; {_SAVE_AS_CSV}"),
    (b"<table", f"a web page; {_SAVE_AS_CSV}"),
    (b"<?xml", f"XML; {_SAVE_AS_CSV}"),
)


def kind_of(path: Path) -> Kind:
    """Tell what a file is, compressed (gzip, bz2, xz, a zip of one file) or not.

    Raises
    ------
    ValueError
        If it is of a kind that is not read, empty, or damaged: with the reason, and what to do.
    """
    try:
        if zipfile.is_zipfile(path) and _starts(path, b"PK"):
            return _kind_of_zip(path)
        with opened(path) as file:
            return _kind_of_head(path, file.read(_HEAD))
    except DAMAGE as error:
        raise error if str(path) in str(error) else ValueError(f"{path}: damaged ({error})") from error


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open what a file holds, unpacked if it is compressed; whether it is says its content, not its name.

    ValueError once it unpacks to more than a file of its size can mean.
    """
    with path.open("rb") as packed:
        magic = packed.read(8)
        packed.seek(0)
        if magic.startswith(b"PK"):
            with zipfile.ZipFile(packed) as archive:
                members = only_files([(entry.filename, entry.is_dir()) for entry in archive.infolist()])
                if len(members) != 1:
                    raise ValueError(f"{path}: a zip of {len(members)} files; expected one")
                with archive.open(members[0]) as member:
                    yield _bounded(path, member)
            return
        unpack = _unpacker(magic)
        if unpack is None:
            yield packed
            return
        with unpack(packed) as file:
            yield _bounded(path, file)


def is_packed(path: Path) -> bool:
    """Whether a file is compressed."""
    with path.open("rb") as file:
        magic = file.read(8)
    return magic.startswith(b"PK") or _unpacker(magic) is not None


def only_files(entries: Sequence[tuple[str, bool]]) -> list[str]:
    """Names, among those of an archive with whether they are folders, of files that are not hidden."""
    return [name for name, folder in entries if not folder and not is_hidden(name)]


def is_hidden(name: str) -> bool:
    """Whether a path below a folder is one that systems and tools leave there for themselves."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(
        (part.startswith(".") and part not in (".", ".."))
        or part in ("__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir")
        for part in parts
    )


def _starts(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _unpacker(magic: bytes):  # type: ignore[no-untyped-def]
    if magic.startswith(b"\x1f\x8b"):
        return lambda file: gzip.GzipFile(fileobj=file)
    if magic.startswith(b"BZh"):
        return bz2.BZ2File
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile
    return None


class _Bounded(io.RawIOBase):
    """A stream that refuses to go on once it has given more than a limit."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self._left = max(MOST_FREELY, MOST_RATIO * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        content = self._file.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"{self._path}: unpacks to more than {MOST_RATIO} times its size; refused")
        buffer[: len(content)] = content
        return len(content)


def _bounded(path: Path, file: IO[bytes]) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(_Bounded(path, file), 1 << 16))


def _kind_of_head(path: Path, head: bytes) -> Kind:
    """Tell a file's kind by its first bytes, unpacked."""
    if not head.strip():
        raise ValueError(f"{path}: the file is empty")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return "tar"
    if head[:2] == b"\0\0" and head[2:3] in (b"\x08", b"\x09", b"\x0b", b"\x0c", b"\x0d", b"\x0e"):
        return "idx"
    if head[8:9] == b"{" and 2 < int.from_bytes(head[:8], "little") < 1 << 32:
        return "safetensors"
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise ValueError(f"{path}: not read: {what}")
    within = _foreign_within(head)
    if within is not None:
        raise ValueError(f"{path}: not read: {within}")
    binary = head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    if binary or path.name.lower().endswith(_PICKLE_ENDINGS):
        raise ValueError(f"{path}: {PICKLE}")
    foreign = next((ending for ending in _FOREIGN_ENDINGS if path.name.lower().endswith(ending)), None)
    if foreign is not None:
        raise ValueError(f"{path}: {foreign} files are not read; {_SAVE_AS_CSV}")
    return (
        "json" if re.match(rb'\s*(\[\s*)?\{\s*"|\s*\[\s*\[', head.removeprefix(b"\xef\xbb\xbf")) else "text"
    )


def _foreign_within(head: bytes) -> str | None:
    """Say what a file is that is known by bytes further inside; None if it is none of these."""
    if head.startswith(b"RIFF"):
        return _ONE_IMAGE if head[8:12] == b"WEBP" else "a sound or a video"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return _ONE_IMAGE
    if head[:1] == b"\0" and head[4:8] == b"ftyp":
        return "a video, or one image; give a folder of images as png or jpg"
    if head[128:132] == b"DICM":
        return "one DICOM image; save all as png or tif, and give the folder that holds them"
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        return "a NIfTI image; save the numbers of all by numpy.save('x.npy', x), a row for each example"
    return None


def _kind_of_zip(path: Path) -> Kind:
    with zipfile.ZipFile(path) as archive:
        names = only_files([(entry.filename, entry.is_dir()) for entry in archive.infolist()])
        if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype"):
            return "ods"
    if not names:
        raise ValueError(f"{path}: an empty archive")
    if any(name.endswith(("/data.pkl", ".pkl")) for name in names):
        raise ValueError(f"{path}: {PICKLE}")
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "xlsx"
    if all(name.endswith(".npy") for name in names):
        return "npz"
    if any(name.lower().endswith(IMAGE_ENDINGS) for name in names):
        return "zip"
    if len(names) == 1:
        with opened(path) as file:
            return _kind_of_head(path, file.read(_HEAD))
    listed = ", ".join(names[:5])
    raise ValueError(
        f"{path}: an archive of {len(names)} files, none of them an image ({listed} ...); unpack it and give "
        "one table or array"
    )
