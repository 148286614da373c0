"""Tables that are no text: parquet, feather and workbooks."""

import numpy as np
import pandas as pd
import pytest

from maskaae.data.own.load import read_own
from maskaae.data.own.notes import ChoiceError
from maskaae.data.own.recognise import data_dimension

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    RNG.normal([0, 10, -5], [1, 3, 0.2], (90, 3)).round(4), columns=["height", "width", "depth"]
)


def read(path, **options):
    got = read_own(path, path.parent / "out", {"scaling": "none", **options})
    return got, " | ".join([*got.guessed, *got.left_out, *got.warnings])


def same(got, frame):
    assert got.source == "table"
    assert got.dataset.info.details["scaling"]["columns"] == list(frame.columns)
    both = np.sort(np.concatenate([got.dataset.train, got.dataset.test]), axis=0)
    np.testing.assert_allclose(both, np.sort(frame.to_numpy(dtype=float), axis=0), rtol=1e-6)


def workbook(path, frame, **keywords):
    pytest.importorskip({".xlsx": "openpyxl", ".ods": "odf"}[path.suffix])
    frame.to_excel(path, **keywords)


WRITE = {
    "parquet": lambda path: FRAME.to_parquet(path / "t.parquet"),
    "parquet with an index": lambda path: FRAME.set_axis(RNG.permutation(90) * 3).to_parquet(
        path / "t.parquet"
    ),
    "parquet with names of rows": lambda path: FRAME.set_axis(
        pd.Index([f"row {i}" for i in range(90)], name="who")
    ).to_parquet(path / "t.parquet"),
    "feather": lambda path: FRAME.to_feather(path / "t.feather"),
    "xlsx": lambda path: workbook(path / "t.xlsx", FRAME, index=False),
    "xlsx with pandas' index": lambda path: workbook(path / "t.xlsx", FRAME),
    "xlsx, table not in the corner, with a title": lambda path: workbook(
        path / "t.xlsx", FRAME, index=False, startrow=4, startcol=2
    ),
    "ods": lambda path: workbook(path / "t.ods", FRAME, index=False),
}


@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
def test_the_same_table_in_every_kind_of_file(tmp_path, write):
    write(tmp_path)
    path = next(tmp_path.glob("t.*"))
    entry = {"name": "own", "source": "table", "path": str(path)}
    assert data_dimension(entry) == 3
    same(read(path)[0], FRAME)


def test_columns_of_every_type_of_number_are_numbers(tmp_path):
    frame = FRAME.assign(
        whole=pd.array(range(0, 180, 2), dtype="Int64"),
        wet=pd.array([True, False] * 45, dtype="boolean"),
        half=FRAME["width"].astype("float16"),
        level=pd.Categorical([1, 2, 5] * 30),
        unsigned=pd.array([7, 9] * 45, dtype="UInt8"),
    )
    frame.astype({"half": "float32"}).to_parquet(tmp_path / "t.parquet")
    same(read(tmp_path / "t.parquet")[0], frame.astype({"half": "float32"}))


def test_decimals_of_arrow_are_numbers(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    cents = pa.array([f"{i}.25" for i in range(90)]).cast(pa.decimal128(10, 2))
    parquet.write_table(pa.table({"cents": cents, "x": FRAME["width"].to_numpy()}), tmp_path / "t.parquet")
    got, _ = read(tmp_path / "t.parquet")
    assert sorted([*got.dataset.train[:, 0], *got.dataset.test[:, 0]])[:2] == [0.25, 1.25]


def test_a_column_of_vectors_becomes_as_many_columns(tmp_path):
    vectors = RNG.normal(size=(90, 4))
    pd.DataFrame({"id": [f"doc {i}" for i in range(90)], "v": list(vectors)}).to_parquet(
        tmp_path / "t.parquet"
    )
    got, words = read(tmp_path / "t.parquet", drop="id")
    same(got, pd.DataFrame(vectors, columns=["v_0", "v_1", "v_2", "v_3"]))
    assert "holds 4 numbers in each row" in words


def test_a_row_without_its_vector_is_missing_and_other_lists_can_be_dropped(tmp_path):
    vectors = RNG.normal(size=(90, 4))
    frame = pd.DataFrame({"v": [None, *vectors[1:]], "tags": [["a"]] * 90})
    frame.to_parquet(tmp_path / "t.parquet")
    got, _ = read(tmp_path / "t.parquet", drop="tags", missing="drop_rows")
    same(got, pd.DataFrame(vectors[1:], columns=["v_0", "v_1", "v_2", "v_3"]))


def sheet(path, *above, below=()):
    """A workbook with rows above and below the numbers of the table."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [*above, *FRAME.to_numpy().tolist(), *below]:
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("above", "below", "names", "said"),
    [
        ([list(FRAME), ["m", "m", "kg"]], [], list(FRAME), "row 2: taken for units: m, m, kg"),
        ([["a", None, "b"], ["x", "y", "x"]], [], ["a x", "a y", "b x"], "names of columns from two rows"),
        ([[2018, 2019, 2020]], [], ["2018", "2019", "2020"], "rise in equal steps"),
        ([list(FRAME)], [[], ["Source: a station"]], list(FRAME), "1 rows of words below the table"),
    ],
)
def test_what_stands_round_the_numbers_of_a_sheet(tmp_path, above, below, names, said):
    sheet(tmp_path / "t.xlsx", *above, below=below)
    got, words = read(tmp_path / "t.xlsx")
    same(got, FRAME.set_axis(names, axis=1))
    assert said in words


def test_names_that_stand_twice_in_a_sheet_and_a_password_are_named(tmp_path):
    sheet(tmp_path / "t.xlsx", ["a", "a", "b"])
    with pytest.raises(ValueError, match=r"t\.xlsx: more than one column is called a"):
        read(tmp_path / "t.xlsx")
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(ValueError, match="is protected by a password"):
        read(tmp_path / "t.xlsx")


def test_a_missing_value_in_parquet_is_named_and_filled(tmp_path):
    frame = FRAME.copy()
    frame.loc[17, "width"] = np.nan
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ChoiceError, match=r"row 17 \(counted from 0\), column 'width': the value is missing"):
        read(tmp_path / "t.parquet")
    assert np.isfinite(read(tmp_path / "t.parquet", missing="median")[0].dataset.train).all()


def test_a_workbook_names_rows_as_it_shows_them_and_asks_for_a_sheet(tmp_path):
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        FRAME.to_excel(book, sheet_name="first", index=False)
        FRAME.assign(note="x").to_excel(book, sheet_name="second", index=False)
        pd.DataFrame().to_excel(book, sheet_name="empty")
    with pytest.raises(ChoiceError, match=r"2 sheets hold something \(first, second\); say which") as refused:
        read(tmp_path / "t.xlsx")
    same(read(tmp_path / "t.xlsx", **refused.value.options)[0], FRAME)
    with pytest.raises(ValueError, match="there is no sheet 'third'; the sheets are first, second"):
        read(tmp_path / "t.xlsx", sheet="third")
    broken = FRAME.astype(object)
    broken.loc[3, "width"] = "broken"
    broken.to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(ChoiceError, match=r"t\.xlsx, row 5, column 'width': 'broken' is not a finite number"):
        read(tmp_path / "t.xlsx")


def test_a_workbook_without_its_package_says_which(tmp_path, monkeypatch):
    import zipfile

    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<a/>")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(ValueError, match=r"t\.xlsx: xlsx needs openpyxl: pip install 'maskaae\[formats\]'"):
        read(tmp_path / "t.xlsx")
