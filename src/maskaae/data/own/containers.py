"""Array files of every kind as named arrays, of which only shape and type are read until one is asked for."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.own.sniff import ARRAYS, DAMAGE, is_packed, kind_of, opened
from maskaae.data.published.mnist import read_header
from maskaae.data.writer import require_own

if TYPE_CHECKING:
    import h5py

Array = NDArray[Any]

_SAFETENSORS = {"BOOL": "b", "BF16": "f"} | {
    f"{letter.upper()}{bits}": letter
    for letter, sizes in (("i", (8, 16, 32, 64)), ("u", (8, 16, 32, 64)), ("f", (16, 32, 64)))
    for bits in sizes
}
_HOLES = ("_FillValue", "missing_value")
_PACKED = ("scale_factor", "add_offset")
MOST_DENSE = 2**34
"""Bytes that a sparse array may take once it is dense (our choice)."""
_NUMERIC = "biuf"
_MATLAB_NUMBERS = frozenset(
    [
        "double",
        "single",
        "logical",
        "sparse",
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    ]
)


@dataclass(frozen=True)
class Member:
    """An array in a file, not read yet.

    Attributes
    ----------
    kind : str
        NumPy's letter for its type; "O" for what is no array of numbers or text.
    names : callable or None
        Reads the names of its columns, where the file has some.
    says : str
        How its numbers are stored, where that is to be told.
    """

    shape: tuple[int, ...]
    kind: str
    read: Callable[[], Array]
    names: Callable[[], list[str]] | None = None
    says: str = ""

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in _NUMERIC


Members = dict[str, Member]
"""Arrays of a file by name; the only one of npy, IDX and SciPy's sparse npz is called ""."""


@contextmanager
def members(path: Path) -> Iterator[Members]:
    """Open an array file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no array file, is damaged, or needs a package that is not installed.
    """
    kind = kind_of(require_own(path))
    if kind not in ARRAYS:
        raise ValueError(f"{path}: is no array but {kind}; set source: auto, or leave it out")
    if kind == "npy" and not is_packed(path):
        yield {"": _mapped(path)}
        return
    try:
        if not is_packed(path) or (kind == "npz" and zipfile.is_zipfile(path)):
            with path.open("rb") as file:
                yield _READERS[kind](path, file)
        else:
            with opened(path) as packed:
                content = io.BytesIO(packed.read())
            yield _READERS[kind](path, content)
    except ImportError as error:
        raise ValueError(f"{path}: {kind} needs {error.name}: pip install 'maskaae[formats]'") from error
    except DAMAGE as error:
        raise error if str(path) in str(error) else ValueError(f"{path}: {error}") from error


def _mapped(path: Path) -> Member:
    """An npy file, mapped into memory."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGE as error:
        if "Python objects" in str(error):
            raise ValueError(
                f"{path}: holds Python objects, and reading them runs whatever code is in them; save "
                "numbers: numpy.save(path, x.astype(float))"
            ) from error
        raise ValueError(f"{path}: {error}") from error
    return _member(array)


def _member(array: Array) -> Member:
    """An array that is read; one with named fields is a table of them."""
    names = columns_of_fields(array.dtype)
    if names is None or array.ndim != 1:
        return Member(array.shape, array.dtype.kind, lambda: array)
    return Member((len(array), len(names)), "f", lambda: of_fields(array), lambda: names)


def columns_of_fields(dtype: np.dtype[Any]) -> list[str] | None:
    """Names of the columns that named fields make, several of a vector; None if a field holds no numbers."""
    if dtype.names is None or any(dtype[name].base.kind not in _NUMERIC for name in dtype.names):
        return None
    sizes = {name: math.prod(dtype[name].shape) for name in dtype.names}
    return [
        f"{name}_{place}" if dtype[name].shape else name
        for name, size in sizes.items()
        for place in range(size)
    ]


def of_fields(array: Array) -> Array:
    """Named fields side by side as columns."""
    fields = array.dtype.names or ()
    return np.column_stack([array[name].reshape(len(array), -1) for name in fields]).astype(np.float64)


def _from_npy(path: Path, file: IO[bytes]) -> Members:
    return {"": _member(np.load(file, allow_pickle=False))}


def _from_idx(path: Path, file: IO[bytes]) -> Members:
    """IDX: the header says how many bytes follow."""
    dtype, shape = read_header(file, path)  # type: ignore[arg-type]
    content = file.read()
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{path}: holds {len(content)} bytes after its header, which promises shape {shape}")
    array = np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    return {"": Member(shape, dtype.kind, lambda: array)}


def _from_npz(path: Path, file: IO[bytes]) -> Members:
    """NumPy's npz, or a sparse array that SciPy stored in one."""
    archive = zipfile.ZipFile(file)
    found: Members = {}
    for entry in archive.namelist():
        with archive.open(entry) as member:
            version = np.lib.format.read_magic(member)
            header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = header(member)
        found[entry.removesuffix(".npy")] = Member(
            shape, dtype.kind, partial(_read_npz, path, archive, entry)
        )
    if {"format", "shape", "data"} <= set(found):
        shape = tuple(int(side) for side in found["shape"].read())
        return {"": Member(shape, found["data"].kind, partial(_read_sparse_npz, path, shape))}
    return found


def _read_npz(path: Path, archive: zipfile.ZipFile, entry: str) -> Array:
    with archive.open(entry) as member:
        array: Array = np.lib.format.read_array(member, allow_pickle=False)
    return array


def _read_sparse_npz(path: Path, shape: tuple[int, ...]) -> Array:
    from scipy import sparse

    return densified(path, sparse.load_npz(path))


def densified(path: Path, array: Any) -> Array:
    """Make a sparse array dense, float32; ValueError if it would not fit in memory."""
    size = math.prod(array.shape) * 4
    if size > MOST_DENSE:
        raise ValueError(
            f"{path}: dense, {array.shape} takes {size / 2**30:.0f} GiB, more than {MOST_DENSE / 2**30:.0f}; "
            "give fewer columns, the most variable ones"
        )
    dense: Array = array.astype(np.float32).toarray()
    return dense


def _from_mat(path: Path, file: IO[bytes]) -> Members:
    """MATLAB's files up to version 7."""
    from scipy import io as matlab

    def read(name: str) -> Array:
        with opened(path) as again:
            array = matlab.loadmat(io.BytesIO(again.read()), variable_names=[name])[name]
        return densified(path, array) if hasattr(array, "toarray") else array

    return {
        name: Member(
            shape, "f" if kind in _MATLAB_NUMBERS else "U" if kind == "char" else "O", partial(read, name)
        )
        for name, shape, kind in matlab.whosmat(file)
    }


def _from_safetensors(path: Path, file: IO[bytes]) -> Members:
    from safetensors import safe_open

    if is_packed(path):
        raise ValueError(f"{path}: a compressed safetensors file; unpack it")

    def read(name: str, dtype: str) -> Array:
        if dtype == "BF16":
            return _read_bfloat16(path, name)
        with safe_open(path, framework="numpy") as tensors:
            array: Array = tensors.get_tensor(name)
        return array

    found: Members = {}
    with safe_open(path, framework="numpy") as tensors:
        for name in tensors.keys():  # noqa: SIM118  # it is no mapping
            part = tensors.get_slice(name)
            dtype = str(part.get_dtype())
            kind = _SAFETENSORS.get(dtype, "O")
            found[name] = Member(tuple(part.get_shape()), kind, partial(read, name, dtype))
    return found


def _read_bfloat16(path: Path, name: str) -> Array:
    """Numbers of 16 bits that are the upper half of 32, which NumPy has no type for."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(size))[name]
        start, end = entry["data_offsets"]
        file.seek(8 + size + start)
        halves = np.frombuffer(file.read(end - start), "<u2")
    whole: Array = (halves.astype(np.uint32) << 16).view(np.float32)
    return whole.reshape(entry["shape"])


def _from_hdf5(path: Path, file: IO[bytes]) -> Members:
    """HDF5, MATLAB's of version 7.3 and AnnData's h5ad among them."""
    import h5py

    store = h5py.File(file, "r")
    if "X" in store and "obs" in store and "var" in store:
        return _from_anndata(path, store)
    file.seek(0)
    of_matlab = file.read(10) == b"MATLAB 7.3"
    found: Members = {}

    def add(name: str, node: Any) -> None:
        hidden = name.startswith("#") or "/#" in name
        if isinstance(node, h5py.Dataset) and node.shape and not hidden:
            found[name] = _dataset(node, of_matlab)

    store.visititems(add)
    return found


def _dataset(node: h5py.Dataset, of_matlab: bool) -> Member:
    """A data set of HDF5; a table of named fields is read as one, numbers as netCDF's attributes say."""
    columns = columns_of_fields(node.dtype)
    if columns is not None and len(node.shape) == 1:
        return Member((len(node), len(columns)), "f", lambda: of_fields(node[()]), lambda: columns)
    shape = node.shape[::-1] if of_matlab else node.shape
    told = [name for name in (*_HOLES, *_PACKED) if name in node.attrs] if node.dtype.kind in "iuf" else []
    says = f"numbers as the attributes {', '.join(told)} say" if told else ""
    return Member(shape, node.dtype.kind, partial(_read_hdf5, node, of_matlab), says=says)


def _read_hdf5(node: h5py.Dataset, of_matlab: bool) -> Array:
    array: Array = node[()]
    if array.dtype.kind == "O":
        array = np.array([text.decode() if isinstance(text, bytes) else str(text) for text in array.ravel()])
    if array.dtype.kind in "iuf":
        array = _unpacked(array, node.attrs)
    return array.T if of_matlab else array  # MATLAB stores columns first


def _unpacked(array: Array, attributes: Mapping[str, Any]) -> Array:
    """Numbers as netCDF stores them: some stand for missing ones, and all are scaled and shifted."""
    codes = [code for name in _HOLES if name in attributes for code in np.ravel(attributes[name])]
    holes = np.isin(array, codes)
    if holes.any():
        array = np.where(holes, np.nan, array)
    scale, shift = (attributes.get(name) for name in _PACKED)
    if scale is not None or shift is not None:
        array = array * (1.0 if scale is None else float(scale)) + (0.0 if shift is None else float(shift))
    return array


def _from_anndata(path: Path, store: h5py.File) -> Members:
    """AnnData: the matrix X of cells and genes, and the columns of `obs`, each by its own name."""
    import h5py

    matrix = store["X"]
    shape = (
        tuple(matrix.shape) if isinstance(matrix, h5py.Dataset) else tuple(map(int, matrix.attrs["shape"]))
    )

    def read() -> Array:
        if isinstance(matrix, h5py.Dataset):
            dense: Array = matrix[()]
            return dense
        from scipy import sparse

        parts = (matrix["data"][()], matrix["indices"][()], matrix["indptr"][()])
        by_rows = str(matrix.attrs["encoding-type"]).startswith("csr")
        made = sparse.csr_array(parts, shape=shape) if by_rows else sparse.csc_array(parts, shape=shape)
        return densified(path, made)

    def names() -> list[str]:
        return [str(name) for name in _read_annotation(store["var"][store["var"].attrs["_index"]])]

    found: Members = {"X": Member(shape, "f", read, names)}
    columns = {name: node for name, node in store["obs"].items() if name != store["obs"].attrs["_index"]}
    for name, node in columns.items():
        found[name] = Member((shape[0],), "U", partial(_read_annotation, node))
    return found


def _read_annotation(node: Any) -> Array:
    """A column of `obs`: categories by their codes, or values as they are."""
    import h5py

    if isinstance(node, h5py.Dataset):
        return _read_hdf5(node, of_matlab=False)
    if "categories" in node:
        codes: Array = node["codes"][()]
        return _with_holes(_read_hdf5(node["categories"], of_matlab=False)[codes], codes < 0)
    values = _read_hdf5(node["values"], of_matlab=False)
    return _with_holes(values, node["mask"][()]) if "mask" in node else values


def _with_holes(values: Array, holes: NDArray[np.bool_]) -> Array:
    """Values of which some are missing: None, where there are any."""
    if not holes.any():
        return values
    made = values.astype(object)
    made[holes] = None
    return made


_READERS: dict[str, Callable[[Path, IO[bytes]], Members]] = {
    "npy": _from_npy,
    "idx": _from_idx,
    "npz": _from_npz,
    "mat": _from_mat,
    "hdf5": _from_hdf5,
    "safetensors": _from_safetensors,
}
