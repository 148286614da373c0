"""The user's own table: every form of it, and the error that names file, line and column."""

import gzip

import numpy as np
import pandas as pd
import pytest

from maskaae.data.dataset import load_dataset
from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import Scaling
from maskaae.data.own.table import read_table as read_by_spec
from maskaae.data.registry import SOURCES, describe, resolve

RNG = np.random.default_rng(0)
VALUES = RNG.normal([0, 10, -5], [1, 3, 0.2], (120, 3)).round(6)
FRAME = pd.DataFrame(VALUES, columns=["height", "width", "depth"])


def prepare(path, **keys):
    out = path.parent / "out"
    spec = resolve({"name": "own", "source": "table", "path": str(path), **keys})
    SOURCES["table"].prepare(spec, raw=path, folder=out)
    return load_dataset(out)


def read_table(path, **keys):
    return read_by_spec(path, resolve({"name": "own", "source": "table", "path": str(path), **keys}), Notes())


def write(path, text):
    path.write_text(text)
    return path


def lines(*rows, filler="1,2,3"):
    """A csv with a header, the given lines, then enough rows to train on."""
    return "\n".join(["a,b,c", *rows, *[filler] * 120]) + "\n"


def csv_file(path):
    FRAME.to_csv(path, index=False)


def semicolons(path):
    FRAME.to_csv(path, index=False, sep=";")


def tsv(path):
    FRAME.to_csv(path, index=False, sep="\t")


def parquet(path):
    FRAME.to_parquet(path)


def white_space(path):
    np.savetxt(path, VALUES, fmt="%12.6f")


def gzipped(path):
    path.write_bytes(gzip.compress(FRAME.to_csv(index=False).encode()))


def windows(path):
    path.write_bytes("\ufeff".encode() + FRAME.to_csv(index=False).replace("\n", "\r\n").encode())


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("t.csv", csv_file),
        ("t.csv", semicolons),
        ("t.tsv", tsv),
        ("t.parquet", parquet),
        ("t.txt", white_space),
        ("t.csv.gz", gzipped),
        ("t.csv", windows),
    ],
)
def test_every_form_of_the_same_table_reads_the_same(tmp_path, name, form):
    form(tmp_path / name)
    table = read_table(tmp_path / name)
    np.testing.assert_allclose(table.values, VALUES)
    assert table.names == (("0", "1", "2") if form is white_space else ("height", "width", "depth"))


def test_scaling_is_learned_on_the_training_split_and_can_be_undone(tmp_path):
    csv_file(tmp_path / "t.csv")
    prepared = prepare(tmp_path / "t.csv")
    scaling = Scaling.from_details(prepared.info.details)
    back = scaling.invert(prepared.train)
    np.testing.assert_allclose(scaling.mean, back.mean(0), atol=1e-6)
    everything = np.concatenate([back, scaling.invert(prepared.test)])
    np.testing.assert_allclose(np.sort(everything, axis=0), np.sort(VALUES, axis=0), atol=1e-5)
    np.testing.assert_allclose(prepared.train.std(0), 1, rtol=1e-5)
    assert prepared.info.details["scaling"]["columns"] == ["height", "width", "depth"]


def test_a_column_of_classes_is_not_learned(tmp_path):
    frame = FRAME.assign(species=np.where(FRAME.height > 0, "tall", "small"))
    frame.to_csv(tmp_path / "t.csv", index=False)
    prepared = prepare(tmp_path / "t.csv", label_column="species")
    scaling = Scaling.from_details(prepared.info.details)
    assert prepared.info.shape == (3,)
    assert prepared.info.details["label_names"] == ["small", "tall"]
    np.testing.assert_array_equal(prepared.train_labels, scaling.invert(prepared.train)[:, 0] > 0)


def test_columns_are_chosen_by_name_or_without_a_header_by_position(tmp_path):
    csv_file(tmp_path / "t.csv")
    white_space(tmp_path / "t.txt")
    by_name = read_table(tmp_path / "t.csv", columns=["depth", "height"])
    by_position = read_table(tmp_path / "t.txt", columns=[2, 0], label_column=1)
    np.testing.assert_allclose(by_name.values, VALUES[:, [2, 0]])
    np.testing.assert_allclose(by_position.values, VALUES[:, [2, 0]])
    np.testing.assert_allclose(by_position.classes, VALUES[:, 1])


def test_a_first_line_like_the_others_is_data(tmp_path):
    path = write(tmp_path / "t.csv", "5.1,3.5,setosa\n4.9,3.0,setosa\n")
    assert read_table(path, label_column=2).values.tolist() == [[5.1, 3.5], [4.9, 3.0]]


def test_a_first_line_that_may_be_either_must_be_decided(tmp_path):
    path = write(tmp_path / "t.csv", "id,0,1\n7,0.5,0.25\n")
    with pytest.raises(ValueError, match=r"t\.csv, line 1: cannot tell whether id, 0, 1 .*header: true or"):
        read_table(path)
    assert read_table(path, header=True).names == ("id", "0", "1")
    with pytest.raises(ValueError, match=r"line 1, column '0': 'id' is not a finite number"):
        read_table(path, header=False)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,,3", r"t\.csv, line 3, column 'b': the value is missing"),
        ("1,nan,3", r"t\.csv, line 3, column 'b': the value is missing"),
        ("1,2,inf", r"t\.csv, line 3, column 'c': 'inf' is not a finite number"),
        (
            "1,two,3",
            r"t\.csv, line 3, column 'b': 'two' is not a finite number.* name it if it holds classes",
        ),
        ("1,2", r"t\.csv, line 3: 2 fields where the first line has 3"),
        ("1,2,3,4", r"t\.csv, line 3: 4 fields where the first line has 3"),
    ],
)
def test_a_broken_row_is_named_by_file_line_and_column(tmp_path, row, message):
    with pytest.raises(ValueError, match=message):
        prepare(write(tmp_path / "t.csv", lines("1,2,3", row)))


def test_the_line_is_right_after_empty_lines_and_line_breaks_in_quotes(tmp_path):
    text = 'name,x\n"two\nlines",1\n\n\nthird,oops\n'
    with pytest.raises(ValueError, match=r"line 6, column 'x': 'oops'"):
        read_table(write(tmp_path / "t.csv", text), columns=["x"])


def test_a_ragged_line_of_white_space_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"t\.txt, line 3: 1 fields where the first line has 2"):
        read_table(write(tmp_path / "t.txt", "1 2\n3   4\n5\n"))


def test_a_broken_row_of_parquet_is_named_by_its_number(tmp_path):
    frame = FRAME.copy()
    frame.loc[17, "width"] = np.nan
    frame.to_parquet(tmp_path / "t.parquet")
    match = r"t\.parquet, row 17 \(counted from 0\), column 'width': the value is missing"
    with pytest.raises(ValueError, match=match):
        prepare(tmp_path / "t.parquet")


def test_dates_are_no_numbers(tmp_path):
    FRAME.assign(day=pd.Timestamp("2020-01-01")).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"1 of 4 columns hold no numbers: day \(times, such as 2020-01-01"):
        prepare(tmp_path / "t.parquet")


def test_a_missing_class_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"line 3, column 'c': the class is missing"):
        prepare(write(tmp_path / "t.csv", lines("1,2,x", "1,2,", filler="1,2,y")), label_column="c")


@pytest.mark.parametrize(
    ("text", "keys", "message"),
    [
        ("a,b\n1,2\n", {"columns": ["c"]}, r"there is no column 'c'; the columns are a, b"),
        ("a,b\n1,2\n", {"label_column": "c"}, r"there is no column 'c'; the columns are a, b"),
        ("a,a\n1,2\n", {}, r"line 1: more than one column is called a"),
        ("", {}, "the file is empty"),
        ("\n\n", {}, "the file is empty"),
    ],
)
def test_a_table_that_does_not_fit_the_config_is_refused(tmp_path, text, keys, message):
    with pytest.raises(ValueError, match=message) as failure:
        read_table(write(tmp_path / "t.csv", text), **keys)
    assert str(tmp_path / "t.csv") in str(failure.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"\x89PNG\r\n\x1a\n\xff\xfe" + bytes(200),
            "not read: one image; give the folder that holds all images",
        ),
        (b"\x01\x02\x03" + bytes(200), "cannot be read as text: it holds bytes that no text has"),
        (b"PAR1" + bytes(200), "cannot be read as parquet"),
        (b"\x80\x04\x95" + bytes(20), "it is a pickle .*runs whatever code is in it"),
        (b"%PDF-1.7", "not read: a PDF; save it as csv or parquet"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"t\.csv: {message}"):
        read_table(tmp_path / "t.csv")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv: no such file"):
        read_table(tmp_path / "nothing.csv")


def test_fewer_rows_than_a_batch_are_refused(tmp_path):
    FRAME[:70].to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=r"t\.csv: 56 examples to train on, fewer than one batch of 64"):
        prepare(tmp_path / "t.csv")


def test_constant_columns_are_reported_by_name(tmp_path, caplog):
    FRAME.assign(unit=1.0).to_csv(tmp_path / "t.csv", index=False)
    prepared = prepare(tmp_path / "t.csv")
    assert prepared.info.details["scaling"]["constant"] == [3]
    assert "constant over the training split, not scaled: unit" in caplog.text


def test_rows_in_both_splits_are_reported(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    FRAME[:4].to_csv(tmp_path / "test.csv", index=False)
    prepared = prepare(tmp_path / "t.csv", test_path=str(tmp_path / "test.csv"))
    assert prepared.info.details["duplicates"] == {"test_rows_in_train": 4, "first": 0}


def test_columns_of_a_test_table_go_by_name(tmp_path):
    FRAME.assign(id=range(120)).to_csv(tmp_path / "t.csv", index=False)
    FRAME[["width", "height", "depth"]].to_csv(tmp_path / "test.csv", index=False)
    prepared = prepare(tmp_path / "t.csv", test_path=str(tmp_path / "test.csv"), scaling="none")
    np.testing.assert_allclose(prepared.test, VALUES, rtol=1e-6)
    FRAME[["width", "height"]].to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(
        ValueError, match=r"test\.csv: there is no column 'depth'; the columns are width, height"
    ):
        prepare(tmp_path / "t.csv", test_path=str(tmp_path / "test.csv"))


def test_the_dimension_is_known_at_parse_time_where_the_columns_are_listed():
    spec = {"name": "own", "source": "table", "path": "t.csv"}
    assert describe(resolve({**spec, "columns": ["a", "b"]})) == ("vectors", 2)
    assert describe(resolve(spec)) == ("vectors", None)
