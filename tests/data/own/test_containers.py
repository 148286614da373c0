"""Array files of every kind: what must come out of each, and what is said about it."""

import gzip
import io
import lzma

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from scipy import io as matlab
from scipy import sparse

from maskaae.data.own.load import read_own
from maskaae.data.own.notes import ChoiceError
from maskaae.data.registry import describe, resolve

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(90, 5)).astype(np.float32)
CLASSES = np.arange(90) % 3
FIELDS = pd.DataFrame(VALUES).to_records(index=False)
SPARSE = np.where(RNG.uniform(size=(90, 5)) < 0.3, VALUES, 0)
IMAGES = RNG.integers(0, 256, (90, 4, 6, 3), dtype=np.uint8)


def read(path, **options):
    got = read_own(
        path, path.parent / "out", {"scaling": "none", **options} if options else {"scaling": "none"}
    )
    return got, " | ".join([*got.guessed, *got.left_out, *got.warnings])


def rows(got):
    """Both splits together, in an order that the split does not decide."""
    both = np.concatenate([got.dataset.train, got.dataset.test]).reshape(90, -1)
    return both[np.lexsort(both.T)]


def same(got, values):
    values = values.reshape(90, -1)
    np.testing.assert_array_equal(rows(got), values[np.lexsort(values.T)])


def hdf5(path, matlab_header=False, **arrays):
    h5py = pytest.importorskip("h5py")
    block = 512 if matlab_header else 0
    with h5py.File(path, "w", userblock_size=block) as store:
        for name, array in arrays.items():
            store[name] = array.T if matlab_header else array
    if matlab_header:
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116))


WRITE = {
    "npy": lambda path: np.save(path.open("wb"), VALUES),
    "npy of named fields": lambda path: np.save(path.open("wb"), FIELDS),
    "npy in Fortran's order": lambda path: np.save(path.open("wb"), np.asfortranarray(VALUES)),
    "npy, big-endian": lambda path: np.save(path.open("wb"), VALUES.astype(">f4")),
    "npy, gzipped": lambda path: path.write_bytes(gzip.compress(npy(VALUES))),
    "npy, xz": lambda path: path.write_bytes(lzma.compress(npy(VALUES))),
    "npz": lambda path: np.savez(path.open("wb"), x=VALUES),
    "npz, compressed": lambda path: np.savez_compressed(path.open("wb"), x=VALUES),
    "mat of version 5": lambda path: matlab.savemat(path.open("wb"), {"X": VALUES}),
    "mat of version 5, compressed": lambda path: matlab.savemat(
        path.open("wb"), {"X": VALUES}, do_compression=True
    ),
    "mat of version 7.3": lambda path: hdf5(path, matlab_header=True, X=VALUES),
    "HDF5": lambda path: hdf5(path, **{"a/deep/place": VALUES}),
    "HDF5 of named fields": lambda path: hdf5(path, x=FIELDS),
    "safetensors": lambda path: save_file({"x": VALUES}, path),
}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
def test_the_same_array_in_every_kind_of_file(tmp_path, write):
    """Under a name that says nothing."""
    write(tmp_path / "array")
    spec = resolve({"name": "own", "source": "array", "path": str(tmp_path / "array")})
    assert describe(spec) == ("vectors", 5)
    got, words = read(tmp_path / "array")
    assert got.source == "array"
    same(got, VALUES)
    assert words == ""


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_scipys_sparse_npz_becomes_dense(tmp_path, form):
    sparse.save_npz(tmp_path / "x.npz", sparse.coo_array(SPARSE).asformat(form))
    assert describe(resolve({"name": "own", "source": "array", "path": str(tmp_path / "x.npz")})) == (
        "vectors",
        5,
    )
    same(read(tmp_path / "x.npz")[0], SPARSE)


def test_a_sparse_matrix_of_matlab_becomes_dense(tmp_path):
    matlab.savemat(tmp_path / "x.mat", {"X": sparse.csc_array(SPARSE.astype(float))})
    same(read(tmp_path / "x.mat")[0], SPARSE)


def test_a_sparse_array_too_large_to_be_dense_is_refused(tmp_path):
    sparse.save_npz(tmp_path / "x.npz", sparse.coo_array(([1.0], ([0], [0])), shape=(10**6, 10**5)))
    with pytest.raises(ValueError, match=r"x\.npz: dense, \(1000000, 100000\) takes 373 GiB, more than 16"):
        read(tmp_path / "x.npz")


@pytest.mark.parametrize("dense", [True, False])
def test_annotated_cells_are_examples_and_genes_are_columns(tmp_path, dense):
    """AnnData's own writer."""
    anndata = pytest.importorskip("anndata")
    anndata.settings.allow_write_nullable_strings = True
    cells = pd.DataFrame({"type": pd.Categorical(["b", "t", "k"] * 30)}, index=[f"c{i}" for i in range(90)])
    genes = pd.DataFrame(index=[f"gene {i}" for i in range(5)])
    matrix = SPARSE if dense else sparse.csr_matrix(SPARSE)
    anndata.AnnData(matrix, obs=cells, var=genes).write_h5ad(tmp_path / "x.h5ad")
    got, words = read(tmp_path / "x.h5ad", label="type")
    same(got, SPARSE)
    assert got.dataset.info.details["scaling"]["columns"] == list(genes.index)
    assert got.dataset.info.details["label_names"] == ["b", "k", "t"]
    assert words == ""


FOUR = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("trainX", "trainY", "testX", "testY"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)


@pytest.mark.parametrize("kind", ["npz", "mat", "safetensors", "h5"])
@pytest.mark.parametrize("names", FOUR)
def test_arrays_called_train_and_test_are_the_splits(tmp_path, kind, names):
    arrays = dict(zip(names, (VALUES[:70], CLASSES[:70], VALUES[70:], CLASSES[70:]), strict=True))
    path = tmp_path / f"x.{kind}"
    write = {
        "npz": np.savez,
        "mat": lambda path, **parts: matlab.savemat(path, parts),
        "safetensors": lambda path, **parts: save_file(parts, path),
        "h5": hdf5,
    }
    write[kind](path, **arrays)
    got, words = read(path)
    np.testing.assert_array_equal(got.dataset.train, VALUES[:70])
    np.testing.assert_array_equal(got.dataset.test, VALUES[70:])
    np.testing.assert_array_equal(got.dataset.test_labels, CLASSES[70:])
    assert f"{names[0]} and {names[2]} are the examples" in words
    assert f"{names[1]} are the classes" in words


def test_validation_is_the_test_split_where_there_is_no_other_and_left_out_where_there_is(tmp_path):
    np.savez(tmp_path / "x.npz", train_images=VALUES[:70], val_images=VALUES[70:])
    np.testing.assert_array_equal(read(tmp_path / "x.npz")[0].dataset.test, VALUES[70:])
    three = {"train_images": VALUES[:70], "val_images": VALUES[70:80], "test_images": VALUES[80:]}
    np.savez(tmp_path / "x.npz", **three)
    got, words = read(tmp_path / "x.npz")
    np.testing.assert_array_equal(got.dataset.test, VALUES[80:])
    assert "val_images" in words


def test_targets_that_are_no_classes_are_left_out(tmp_path):
    np.savez(
        tmp_path / "x.npz", x_train=VALUES, y_train=VALUES[:, 0], x_test=VALUES[:9], y_test=VALUES[:9, 0]
    )
    got, words = read(tmp_path / "x.npz")
    assert got.dataset.info.classes == 0
    assert "y_train, which holds no classes" in words


def test_classes_of_one_column_or_as_rows_with_a_single_one(tmp_path):
    np.savez(tmp_path / "x.npz", x=VALUES, y=CLASSES[:, None])
    assert read(tmp_path / "x.npz", label="y")[0].dataset.info.classes == 3
    np.savez(tmp_path / "x.npz", x=VALUES, y=np.eye(3)[CLASSES])
    assert read(tmp_path / "x.npz", label="y", key="x")[0].dataset.info.classes == 3


def test_the_only_array_that_can_be_examples_is_and_the_rest_is_named(tmp_path):
    matlab.savemat(tmp_path / "x.mat", {"X": VALUES, "y": CLASSES[:, None], "note": "by hand", "scale": 3.0})
    got, words = read(tmp_path / "x.mat")
    same(got, VALUES)
    assert "X (90, 5) are the examples" in words
    assert "y, note, scale; one of them can be classes, as label_key" in words


def test_of_several_arrays_one_must_be_named(tmp_path):
    np.savez(tmp_path / "x.npz", a=VALUES, b=VALUES)
    with pytest.raises(
        ChoiceError, match=r"it holds a \(90, 5\), b \(90, 5\); name one of them as `key`"
    ) as refused:
        read(tmp_path / "x.npz")
    same(read(tmp_path / "x.npz", **refused.value.options)[0], VALUES)


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ((0, 1, 2, 3), ""),
        ((0, 3, 1, 2), "(N, channels, height, width)"),
        ((1, 2, 3, 0), "(height, width, channels, N)"),
    ],
)
def test_images_in_every_order_of_axes(tmp_path, axes, said):
    np.save(tmp_path / "x.npy", IMAGES.transpose(axes))
    got, words = read(tmp_path / "x.npy")
    assert got.dataset.info.shape == (4, 6, 3)
    same(got, IMAGES)
    assert said in words


def test_grey_images_in_three_channels_become_one(tmp_path):
    np.save(tmp_path / "x.npy", np.repeat(IMAGES[..., :1], 3, axis=3))
    got, words = read(tmp_path / "x.npy")
    assert got.dataset.info.shape == (4, 6, 1)
    assert "three equal channels, read as one" in words


def test_floats_from_minus_1_to_1_are_pixels_as_nets_are_fed(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES.astype(np.float32) / 127.5 - 1)
    got, words = read(tmp_path / "x.npy")
    same(got, IMAGES)
    assert "float32 from -1 to 1" in words


def test_floats_up_to_255_are_pixels_too(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES.astype(np.float32))
    got, words = read(tmp_path / "x.npy")
    same(got, IMAGES)
    assert "float32 from 0 to 255" in words


def test_missing_values_are_counted_and_a_way_on_is_named(tmp_path):
    holes = VALUES.copy()
    holes[[3, 5], 2] = np.nan
    np.save(tmp_path / "x.npy", holes)
    with pytest.raises(
        ChoiceError, match=r"row 3 \(counted from 0\), column '2': the value is missing.*\n?.*2 2"
    ):
        read(tmp_path / "x.npy")
    assert len(read(tmp_path / "x.npy", missing="drop_rows")[0].dataset.train) == round(88 * 0.8)
    assert read(tmp_path / "x.npy", missing="drop_columns")[0].dataset.info.shape == (4,)
    assert np.isfinite(read(tmp_path / "x.npy", missing="median")[0].dataset.train).all()


def test_an_index_among_the_columns_is_warned_of(tmp_path):
    np.save(tmp_path / "x.npy", np.column_stack([np.arange(90), VALUES]))
    assert "column 0 counts the rows" in read(tmp_path / "x.npy")[1]


def test_a_file_that_needs_a_package_says_which(tmp_path, monkeypatch):
    (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ValueError, match=r"x\.h5: hdf5 needs h5py: pip install 'maskaae\[formats\]'"):
        read(tmp_path / "x.h5")


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("nullable", [True, False])
def test_h5ad_needs_no_anndata(tmp_path, dense, nullable):
    """The layout that AnnData publishes, old and new: sparse parts, categories, names in a group or not."""
    h5py = pytest.importorskip("h5py")
    genes = [f"gene {i}" for i in range(5)]
    with h5py.File(tmp_path / "x.h5ad", "w") as store:
        if dense:
            store["X"] = SPARSE
        else:
            rows_of = sparse.csr_array(SPARSE)
            group = store.create_group("X")
            group.attrs.update({"encoding-type": "csr_matrix", "shape": SPARSE.shape})
            group["data"], group["indices"], group["indptr"] = rows_of.data, rows_of.indices, rows_of.indptr
        for name in ("obs", "var"):
            store.create_group(name).attrs["_index"] = "_index"
        store["var/_index/values" if nullable else "var/_index"] = genes
        store["obs/_index"] = [f"cell {i}" for i in range(90)]
        store["obs/type/categories"], store["obs/type/codes"] = ["b", "k", "t"], CLASSES
    got, _ = read(tmp_path / "x.h5ad", label="type")
    same(got, SPARSE)
    assert got.dataset.info.details["scaling"]["columns"] == genes
    assert got.dataset.info.details["label_names"] == ["b", "k", "t"]


def test_a_matrix_of_columns_is_turned_where_a_vector_beside_it_tells(tmp_path):
    matlab.savemat(tmp_path / "x.mat", {"X": VALUES.T, "y": CLASSES})
    got, words = read(tmp_path / "x.mat", label="y")
    same(got, VALUES)
    assert "(5, 90) taken as (D, N)" in words


def test_transparency_in_an_array_is_laid_on_white(tmp_path):
    alpha = np.full((*IMAGES.shape[:3], 1), 255, np.uint8)
    alpha[:, 0, 0] = 0
    np.save(tmp_path / "x.npy", np.concatenate([IMAGES, alpha], axis=3))
    spec = resolve({"name": "own", "source": "array", "path": str(tmp_path / "x.npy")})
    assert describe(spec) == ("images", 4 * 6 * 3)
    got, _ = read(tmp_path / "x.npy")
    expected = IMAGES.copy()
    expected[:, 0, 0] = 255
    same(got, expected)


@pytest.mark.parametrize("shape", [(90, 4, 4, 4, 2), (90, 50, 3)])
def test_what_is_no_image_is_refused_with_the_way_on(tmp_path, shape):
    np.save(tmp_path / "x.npy", RNG.normal(size=shape))
    with pytest.raises(ValueError, match=r"x\.npy: .*reshape .* to \(N, D\)"):
        read(tmp_path / "x.npy")


def test_a_struct_of_matlab_is_refused_by_its_name(tmp_path):
    matlab.savemat(tmp_path / "x.mat", {"s": {"data": VALUES}})
    with pytest.raises(
        ValueError, match=r"it holds s \(1, 1\), none of them an array of numbers; structs, cells"
    ):
        read(tmp_path / "x.mat")


def test_an_array_of_python_objects_is_refused_with_the_way_on(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, "a"]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"x\.npy: holds Python objects, .*numpy\.save\(path, x\.astype"):
        read_own(tmp_path / "x.npy", tmp_path / "own")


def test_bfloat16_is_read_and_floats_of_eight_bits_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_tensors

    halves = torch.tensor(VALUES).bfloat16()
    save_tensors({"x": halves}, tmp_path / "x.safetensors")
    same(read(tmp_path / "x.safetensors")[0], halves.float().numpy())
    save_tensors({"x": halves.to(torch.float8_e4m3fn)}, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match=r"it holds x \(90, 5\), none of them an array of numbers"):
        read(tmp_path / "x.safetensors")


def test_numbers_are_as_the_attributes_of_netcdf_say(tmp_path):
    h5py = pytest.importorskip("h5py")
    stored = np.rint(VALUES * 100).astype(np.int16)
    stored[3, 1] = -32767
    with h5py.File(tmp_path / "x.nc", "w") as store:
        store["x"] = stored
        store["x"].attrs.update({"scale_factor": 0.01, "add_offset": 273.15, "_FillValue": np.int16(-32767)})
    got, words = read(tmp_path / "x.nc", missing="drop_rows")
    expected = np.delete(stored * 0.01 + 273.15, 3, axis=0).astype(np.float32)
    both = np.concatenate([got.dataset.train, got.dataset.test])
    np.testing.assert_allclose(np.sort(both, axis=0), np.sort(expected, axis=0), rtol=1e-6)
    assert "as the attributes _FillValue, scale_factor, add_offset say" in words


@pytest.mark.parametrize("kind", ["categories", "values"])
def test_a_missing_class_of_a_cell_is_named(tmp_path, kind):
    """AnnData writes the code -1, or a mask."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5ad", "w") as store:
        store["X"] = VALUES
        for name, size in (("obs", 90), ("var", 5)):
            store.create_group(name).attrs["_index"] = "_index"
            store[f"{name}/_index"] = [f"{name} {i}" for i in range(size)]
        if kind == "categories":
            store["obs/type/categories"] = ["b", "k", "t"]
            store["obs/type/codes"] = np.where(np.arange(90) == 4, -1, CLASSES)
        else:
            store["obs/type/values"], store["obs/type/mask"] = CLASSES, np.arange(90) == 4
    with pytest.raises(
        ChoiceError, match=r"row 4 \(counted from 0\): the class is missing, in 1 rows"
    ) as refused:
        read(tmp_path / "x.h5ad", label="type")
    got, _ = read(tmp_path / "x.h5ad", **refused.value.options)
    assert (got.dataset.info.n_train + got.dataset.info.n_test, got.dataset.info.classes) == (89, 3)


@pytest.mark.parametrize(
    ("beside", "warned"),
    [({"feature_names": np.array(list("abcde"))}, False), ({"wavelengths": np.arange(5.0)}, True)],
)
def test_a_vector_of_as_many_values_as_there_are_columns_turns_nothing(tmp_path, beside, warned):
    np.savez(tmp_path / "x.npz", x=VALUES, **beside)
    got, words = read(tmp_path / "x.npz")
    same(got, VALUES)
    assert ("if the examples are the columns" in words) == warned


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (VALUES.T.repeat(20, axis=1), "There are more columns, 1800: if they are the examples, turn"),
        (VALUES.astype(complex), r"holds complex64, not numbers; numpy\.column_stack"),
        (VALUES.astype(str), r"not numbers; if they are numbers written as text, save x\.astype\(float\)"),
    ],
)
def test_an_array_that_needs_a_step_before_says_which(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ValueError, match=message.replace("complex64", "complex(64|128)")):
        read(tmp_path / "x.npy")


def test_a_sparse_matrix_in_parts_is_refused_with_the_way_on(tmp_path):
    cells = sparse.csr_array(SPARSE)
    hdf5(
        tmp_path / "x.h5",
        **{f"matrix/{part}": getattr(cells, part) for part in ("data", "indices", "indptr")},
    )
    with pytest.raises(ValueError, match=r"none of them vectors .* but a sparse matrix in parts; scanpy"):
        read(tmp_path / "x.h5")


def test_twelve_bits_in_sixteen_are_warned_of(tmp_path):
    np.save(tmp_path / "x.npy", RNG.integers(0, 4096, (90, 4, 4)).astype(np.uint16))
    assert "16 of 256 levels are left; multiply the pixels" in read(tmp_path / "x.npy")[1]
