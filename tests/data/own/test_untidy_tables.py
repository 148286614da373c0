"""Tables as people have them: what must come out of each, and what is said about it."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from maskaae.data.own.load import read_own
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.splits import split_rows
from maskaae.data.own.table import read_table
from maskaae.data.registry import resolve

RNG = np.random.default_rng(0)
VALUES = RNG.normal([0, 10, -5], [1, 3, 0.2], (90, 3)).round(4)
NAMES = ["height", "width", "depth"]
FRAME = pd.DataFrame(VALUES, columns=NAMES)


def read(path, content=None, **keys):
    """Read a table of the given content; the result and what was said."""
    if isinstance(content, str):
        content = content.encode()
    if content is not None:
        path.write_bytes(content)
    notes = Notes()
    spec = resolve({"name": "own", "source": "table", "path": str(path), **keys})
    table = read_table(path, spec, notes)
    return table, " | ".join([*notes.guessed, *notes.left_out, *notes.warnings])


def european(frame, **keywords):
    return frame.to_csv(sep=";", decimal=",", index=False, **keywords)


TEXT = FRAME.to_csv(index=False)
BODY = FRAME.to_csv(index=False, header=False)
SPACED = "\n".join(" \t ".join(f"{value:9.4f}" for value in row) + "  " for row in VALUES) + "\n"
ZIPPED = io.BytesIO()
with zipfile.ZipFile(ZIPPED, "w") as archive:
    archive.writestr("__MACOSX/._t.csv", "x")
    archive.writestr("t.csv", TEXT)

SAME = {
    "any ending": ("t.data", TEXT, ""),
    "no ending": ("t", TEXT, ""),
    "decimal commas": ("t.csv", european(FRAME), "comma is the decimal sign"),
    "decimal commas without a header": ("t.csv", european(FRAME, header=False), "comma is the decimal sign"),
    "decimal commas between tabs": ("t.txt", FRAME.to_csv(sep="\t", decimal=",", index=False), "the comma"),
    "decimal commas between blanks": ("t.txt", SPACED.replace(".", ","), "comma is the decimal sign"),
    "decimal commas in quotes": ("t.csv", FRAME.map(str).replace(r"\.", ",", regex=True).to_csv(index=False),
        "the comma"),
    "mixed blanks and tabs": ("t.dat", SPACED, ""),
    "Fortran's exponents": ("t.dat", "\n".join(" ".join(f"{value: .6E}" for value in row) for row in VALUES)
        .replace("E", "D"), ""),
    "UTF-16": ("t.csv", TEXT.encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": ("t.csv", TEXT.encode("utf-16-le"), "UTF-16"),
    "UTF-8 with a mark": ("t.csv", TEXT.encode("utf-8-sig"), ""),
    "Latin-1": ("t.csv", TEXT.replace("width", "Größe").encode("latin-1"), "cp1252"),
    "old Macintosh line ends": ("t.csv", TEXT.replace("\n", "\r"), ""),
    "comments": ("t.csv", f"# made by hand\n#\n{TEXT}# the end\n", "3 lines that start like"),
    "words below": ("t.csv", f"{TEXT}\nSource: a station, 2020\nLast changed: 1 May\n",
        "2 lines below the table (the first: 'Source: a station,2020')"),
    "words right below": ("t.csv", f"{TEXT}end of file\n", "1 lines below the table"),
    "comments with commas": ("t.csv", f"# a, b\n{TEXT}", "1 lines that start like comments"),
    "names in the comment": ("t.txt", "# " + " ".join(NAMES) + "\n" + SPACED, "names of columns from"),
    "trailing delimiters": ("t.csv", TEXT.replace("\n", ",\n"), "each line ends in a delimiter"),
    "trailing delimiters but in the header": ("t.csv", TEXT.replace("\n", ";\n").replace(",", ";").replace(
        "depth;", "depth"), "each line ends in a delimiter"),
    "pandas' index": ("t.csv", FRAME.to_csv(), "an index of rows"),
    "pandas' index written twice": ("t.csv", FRAME.rename_axis("Unnamed: 0").to_csv(), "an index"),
    "a shuffled index": ("t.csv", FRAME.set_index(RNG.permutation(90) * 3).to_csv(), "an index of rows"),
    "R's names of rows": ("t.txt", FRAME.set_axis([f"row {i}" for i in range(90)]).to_csv(
        sep=" ", quoting=2, index_label=False), "names of rows"),
    "R's numbers of rows, in quotes": ("t.txt", FRAME.set_axis(list(map(str, range(1, 91)))).to_csv(
        sep=" ", quoting=2, index_label=False), "an index of rows"),
    "names of columns in the middle too": ("t.csv", f"{FRAME[:50].to_csv(index=False)}\ufeff"
        + FRAME[50:].to_csv(index=False), "1 lines that repeat the names of columns (the first: line 52)"),
    "two marks": ("t.csv", "\ufeff\ufeff" + TEXT, ""),
    "units, then what was done": ("t.csv", TEXT.replace("\n", "\nm,m,kg\nAvg,Avg,Max\n", 1),
        "line 3: taken for"),
    "years as names": ("t.csv", "2018,2019,2020\n" + BODY, "2018, 2019, 2020 ..."),
    "wavelengths as names": ("t.csv", "400.5,401.0,401.5\n" + BODY, "rise in equal steps"),
    "negative in brackets": ("t.csv", FRAME.map(lambda x: f"({-x})" if x < 0 else f"{x}").to_csv(index=False),
        "are negative"),
    "minus behind": ("t.csv", FRAME.map(lambda x: f"{-x}-" if x < 0 else f"{x}").to_csv(index=False),
        "are negative"),
    "JSON, split": ("t.json", FRAME.to_json(orient="split"), ""),
    "JSON, rows": ("t.json", FRAME.to_json(orient="values"), ""),
    "JSON, records inside": ("t.json", '{"n": 90, "rows": ' + FRAME.to_json(orient="records") + "}",
        "the rows are those of 'rows'"),
    "JSON, nested": ("t.json", FRAME.apply(lambda row: {"h": row["height"], "rest": dict(row[1:])}, axis=1)
        .to_json(orient="values"), "fields within fields"),
    "a column that counts the rows": ("t.csv", FRAME.assign(id=range(1, 91)).to_csv(index=False), "counts"),
    "a shuffled count": ("t.csv", FRAME.assign(id=RNG.permutation(90)).to_csv(index=False), "counts the"),
    "an empty column": ("t.csv", FRAME.assign(note="").to_csv(index=False), "no value in it: note"),
    "a line of units": ("t.csv", TEXT.replace("\n", "\nm,m,kg\n", 1), "taken for units: m, m, kg"),
    "Excel's first line": ("t.csv", "sep=;\n" + TEXT.replace(",", ";"), ""),
    "quotes round everything": ("t.csv", FRAME.astype(str).to_csv(index=False, quoting=1), ""),
    "single quotes": ("t.csv", FRAME.astype(str).to_csv(index=False, quoting=1).replace('"', "'"), ""),
    "a table drawn with bars": ("t.md", "| height | width | depth |\n|---|---|---|\n" + "".join(
        "| " + " | ".join(map(str, row)) + " |\n" for row in VALUES), "empty columns"),
    "Weka's ARFF": ("t.arff", "@relation r\n" + "".join(f"@attribute {name} numeric\n" for name in NAMES)
        + "@data\n" + TEXT.split("\n", 1)[1], "ARFF"),
    "gzip": ("t.csv.gz", gzip.compress(TEXT.encode()), ""),
    "gzip under another name": ("t.csv", gzip.compress(TEXT.encode()), ""),
    "bz2": ("t.csv.bz2", bz2.compress(TEXT.encode()), ""),
    "xz": ("t.csv.xz", lzma.compress(TEXT.encode()), ""),
    "zip": ("t.zip", ZIPPED.getvalue(), ""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), SAME.values(), ids=SAME)
def test_the_same_table_however_it_is_written(tmp_path, name, content, said):
    table, words = read(tmp_path / name, content)
    np.testing.assert_allclose(table.values, VALUES)
    assert said in words
    assert (words == "") == (said == "")


@pytest.mark.parametrize(
    ("rows", "decimal", "thousands", "values"),
    [
        (["1,234.5", "12", "-1,000,000"], ".", ",", [1234.5, 12, -1e6]),
        (["1.234,5", "12", "-1.000.000"], ",", ".", [1234.5, 12, -1e6]),
        (["1 234,5", "12", "-1 000 000"], ",", " ", [1234.5, 12, -1e6]),
        (["1\u202f234,5", "12", "1\u00a0000"], ",", " ", [1234.5, 12, 1000]),
        (["1'234.5", "12", "1'000"], ".", "'", [1234.5, 12, 1000]),
        (["1,234", "3.25", "7"], ".", ",", [1234, 3.25, 7]),
        (["1.234", "3,25", "7"], ",", ".", [1234, 3.25, 7]),
        (["0,123", "1,234", "7"], ",", "", [0.123, 1.234, 7]),
        (["1,5e3", "-,5", "+2,"], ",", "", [1500, -0.5, 2]),
        (["12 %", "3.5%", "4%"], ".", "", [12, 3.5, 4]),
        (["$1,234.50", "$3.25", "$7.00"], ".", ",", [1234.5, 3.25, 7]),
        (["1.5", "\u22122.5", "3"], ".", "", [1.5, -2.5, 3]),
        (["-$1,234.50", "($3.25)", "$7.00"], ".", ",", [-1234.5, -3.25, 7]),
        (["1.234,50-", "3,25", "7,00"], ",", ".", [-1234.5, 3.25, 7]),
    ],
)
def test_thousands_and_decimals_where_they_are_unmistakable(tmp_path, rows, decimal, thousands, values):
    table, words = read(
        tmp_path / "t.csv", "a;b\n" + "".join(f"{row};{i * i}\n" for i, row in enumerate(rows))
    )
    np.testing.assert_allclose(table.values[:, 0], values)
    assert ("comma is the decimal sign" in words) == (decimal == ",")
    assert ("stands between thousands" in words) == bool(thousands)


def test_what_may_be_a_decimal_comma_or_thousands_is_asked_for(tmp_path):
    content = "a;b\n1,234;5\n12,345;9\n"
    with pytest.raises(ChoiceError, match=r"'1,234' may be 1\.234 or 1234; say which by decimal") as refused:
        read(tmp_path / "t.csv", content)
    assert refused.value.options == {"decimal": ","}
    assert read(tmp_path / "t.csv", content, decimal=",")[0].values[:, 0].tolist() == [1.234, 12.345]
    assert read(tmp_path / "t.csv", content, thousands=",")[0].values[:, 0].tolist() == [1234, 12345]


def test_points_before_three_digits_between_semicolons_may_be_thousands(tmp_path):
    content = "a;b\n1.234;5\n12.345;9\n"
    with pytest.raises(ChoiceError, match=r"line 2, column 'a': '1\.234' may be 1\.234 or 1234; say which"):
        read(tmp_path / "t.csv", content)
    assert read(tmp_path / "t.csv", content, decimal=",")[0].values[:, 0].tolist() == [1234, 12345]
    assert read(tmp_path / "t.csv", content, decimal=".")[0].values[:, 0].tolist() == [1.234, 12.345]
    assert read(tmp_path / "t.csv", content + "0.5;1\n")[0].values[:, 0].tolist() == [1.234, 12.345, 0.5]
    assert read(tmp_path / "t.csv", content.replace(";", ","))[0].values[:, 0].tolist() == [1.234, 12.345]


def test_decimal_commas_and_points_in_one_file_are_refused(tmp_path):
    with pytest.raises(
        ChoiceError, match=r"line 2, column 'a': '1,5' has a decimal comma and '2\.5' a decimal point"
    ):
        read(tmp_path / "t.csv", "a;b\n1,5;2.5\n3,25;4.75\n")


def test_quoted_thousands_between_commas_need_no_asking(tmp_path):
    table, words = read(tmp_path / "t.csv", 'a,b\n"1,234",5\n"12,345",9\n999,3\n')
    assert table.values[:, 0].tolist() == [1234, 12345, 999]
    assert "',' stands between thousands (as in 1,234)" in words


def test_a_decimal_comma_never_eats_a_point(tmp_path):
    """`1.5` beside decimal commas is neither 15 nor 1.5."""
    with pytest.raises(ValueError, match=r"1\.5"):
        read(tmp_path / "t.csv", "a;b\n1,25;1.5\n2,5;20\n3,5;30\n")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_names_survive_their_encoding(tmp_path, encoding):
    table, _ = read(tmp_path / "t.csv", "größe,länge\n1,2.5\n3,4\n1,1\n".encode(encoding), header=True)
    assert table.names == ("größe", "länge")


def test_an_encoding_can_be_given(tmp_path):
    table, _ = read(tmp_path / "t.csv", "вес,рост\n1,2.5\n3,4\n1,1\n".encode("cp1251"), encoding="cp1251")
    assert table.names == ("вес", "рост")
    with pytest.raises(ValueError, match="encoding: 'cp9' is unknown"):
        read(tmp_path / "t.csv", encoding="cp9")


@pytest.mark.parametrize(
    ("first", "names"),
    [
        (",0,1,2", ("0", "1", "2")),
        ("city,1990,1991,1992", ("1990", "1991", "1992")),
        ("id,1,2,3", ("1", "2", "3")),
    ],
)
def test_numbers_that_count_are_names(tmp_path, first, names):
    table, words = read(
        tmp_path / "t.csv",
        f"{first}\n4,1.5,2.5,3.25\n7,1,2,3\n1,5,5,5\n",
        drop=[first.split(",")[0]] if first[0] != "," else [],
    )
    assert table.names == names
    assert "taken for names" in words


def test_whole_numbers_under_0_1_2_may_be_either(tmp_path):
    with pytest.raises(ValueError, match=r"line 1: cannot tell whether 0, 1, 2 \.\.\. are names or data"):
        read(tmp_path / "t.csv", "0,1,2\n3,4,5\n6,9,8\n")


MIXED = FRAME.assign(
    time=pd.date_range("2020-01-01", periods=90, freq="h").astype(str),
    station=[f"S {i} x" for i in range(90)],
    species=["a", "b", "c"] * 30,
    wet=[True, False] * 45,
)


def test_columns_of_text_come_with_the_command_that_leaves_them_out(tmp_path):
    MIXED.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ChoiceError) as refused:
        read(tmp_path / "t.csv")
    lines = str(refused.value).splitlines()
    assert (
        "3 of 7 columns hold no numbers: time (times, such as 2020-01-01 00:00:00); station (90" in lines[0]
    )
    assert lines[-1] == f"make own DATA={tmp_path / 't.csv'} DROP=time,station LABEL=species"
    assert len(lines) <= 4


def test_the_way_on_works_and_booleans_are_numbers(tmp_path):
    MIXED.to_csv(tmp_path / "t.csv", index=False)
    got = read_own(
        tmp_path / "t.csv", tmp_path / "out", {"drop": "time,station", "label": "species", "scaling": "none"}
    )
    assert got.dataset.info.details["scaling"]["columns"] == [*NAMES, "wet"]
    assert got.dataset.info.details["label_names"] == ["a", "b", "c"]
    assert set(got.dataset.train[:, 3]) == {0, 1}
    assert any("dropped as told: station, time" in sentence for sentence in got.left_out)


def test_one_word_in_a_column_of_numbers_is_named(tmp_path):
    content = TEXT.replace(f"{VALUES[5, 1]}", "broken", 1)
    with pytest.raises(
        ChoiceError, match=r"line 7, column 'width': 'broken' is not a finite number"
    ) as refused:
        read(tmp_path / "t.csv", content)
    table, _ = read(tmp_path / "t.csv", **refused.value.options)
    assert np.argwhere(np.isnan(table.values)).tolist() == [[5, 1]]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "NA",
        "NaN",
        "nan",
        "?",
        "-",
        "null",
        "N/A",
        "None",
        "#N/A",
        ".",
        "#NAME?",
        "#NV",
        "-nan",
        "1.#QNAN",
    ],
)
def test_missing_values_are_counted_and_a_way_on_is_named(tmp_path, token):
    rows = FRAME.astype(str)
    rows.loc[[2, 4], "width"] = token
    rows.loc[4, "depth"] = token
    rows.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ChoiceError) as refused:
        read(tmp_path / "t.csv")
    assert "line 4, column 'width': the value is missing" in str(refused.value)
    assert "width 2, depth 1; 2 of 90 rows are affected" in str(refused.value)
    assert str(refused.value).endswith("MISSING=drop_rows")
    table, words = read(tmp_path / "t.csv", missing="drop_rows")
    np.testing.assert_allclose(table.values, np.delete(VALUES, [2, 4], axis=0))
    assert "2 of 90 rows, in which a value is missing" in words


def test_an_error_of_a_workbook_at_the_start_of_a_line_is_no_comment(tmp_path):
    rows = FRAME.astype(str)
    rows.loc[2, "height"] = "#DIV/0!"
    table, words = read(tmp_path / "t.csv", rows.to_csv(index=False), missing="median")
    assert np.argwhere(np.isnan(table.values)).tolist() == [[2, 0]]
    assert "comments" not in words


def with_holes(tmp_path):
    rows = FRAME.copy()
    rows.loc[::9, "width"] = np.nan
    rows.to_csv(tmp_path / "t.csv", index=False)
    return rows


def test_columns_with_missing_values_can_be_dropped(tmp_path):
    with_holes(tmp_path)
    got = read_own(tmp_path / "t.csv", tmp_path / "out", {"missing": "drop_columns"})
    assert got.dataset.info.details["scaling"]["columns"] == ["height", "depth"]
    assert got.dataset.info.details["missing"] == {"method": "drop_columns", "counts": {"width": 10}}


def test_medians_of_the_training_split_alone_fill_what_is_missing(tmp_path):
    rows = with_holes(tmp_path)
    got = read_own(tmp_path / "t.csv", tmp_path / "out", {"missing": "median", "scaling": "none"})
    train, test = (rows["width"].to_numpy()[part] for part in split_rows(90, None, 0))
    median = np.nanmedian(train)
    assert median != np.nanmedian(rows["width"])
    assert got.dataset.info.details["missing"]["filled_with"] == {"width": median}
    for made, part in ((got.dataset.train, train), (got.dataset.test, test)):
        np.testing.assert_allclose(made[:, 1], np.where(np.isnan(part), median, part), rtol=1e-6)


def test_minus_999_is_a_number_unless_it_is_said_to_be_none(tmp_path):
    rows = FRAME.copy()
    rows.loc[3, "width"] = -999
    rows.to_csv(tmp_path / "t.csv", index=False)
    assert read(tmp_path / "t.csv")[0].values[3, 1] == -999
    table, _ = read(tmp_path / "t.csv", missing_values=[-999], missing="drop_rows")
    assert len(table.values) == 89


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda frame: frame.replace({"width": {VALUES[3, 1]: -999}}),
            "'width' holds -999 in 1 rows, far from",
        ),
        (lambda frame: pd.concat([frame, frame.sum().to_frame().T]), "line 92: the last row is the sum of"),
        (lambda frame: pd.concat([frame, frame.mean().round(4).to_frame().T]), "the last row is the mean of"),
        (lambda frame: frame.assign(t=np.arange(90) ** 2), "'t' goes one way from row to row, as time does"),
        (
            lambda frame: frame.assign(patient_id=RNG.permutation(900)[:90]),
            "'patient_id' is learned like the",
        ),
    ],
)
def test_what_is_hardly_a_measurement_is_warned_of(tmp_path, change, said):
    table, words = read(tmp_path / "t.csv", change(FRAME).to_csv(index=False))
    assert said in words
    assert len(table.values) >= 90


def test_constant_columns_and_repeated_rows_are_told_to_who_reads_without_a_log(tmp_path):
    pd.concat([FRAME, FRAME]).assign(k=3).to_csv(tmp_path / "t.csv", index=False)
    warnings = " | ".join(read_own(tmp_path / "t.csv", tmp_path / "out").warnings)
    assert "constant over the training split: k" in warnings
    assert "of 36 examples of the test split are in the training split too" in warnings


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("left,left,right\nx,y,x\n", ("left x", "left y", "right x")),
        ("left,,right\nx,y,x\n", ("left x", "left y", "right x")),
        (",left,left,right\n,x,y,x\n", ("left x", "left y", "right x")),
    ],
)
def test_names_on_two_lines_are_joined(tmp_path, lines, names):
    body = FRAME.to_csv(header=False, index=lines.startswith(","))
    table, words = read(tmp_path / "t.csv", lines + body)
    np.testing.assert_allclose(table.values, VALUES)
    assert table.names == names
    assert "names of columns from two lines" in words


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,a\n1.5,2\n2,5\n3,1\n", "more than one column is called a"),
        ("a\n4,5\n2,25\n3,5\n", "if there is one column and the comma is its decimal sign, say so"),
        ("a^b\n1.5^2\n2^5\n3^1\n", "set delimiter"),
        ("a,b\n1.5,2\nk.A.,5\nn.b.,1\n3,3\n4,7\n", "'k.A.' is not a finite number .and 1 more"),
    ],
)
def test_the_command_of_a_refusal_reads_the_file(tmp_path, content, message):
    with pytest.raises(ChoiceError, match=message) as refused:
        read(tmp_path / "t.csv", content)
    assert len(read(tmp_path / "t.csv", **refused.value.options)[0].values) >= 3


def test_a_value_of_1e300_is_named_by_row_and_column(tmp_path):
    with pytest.raises(ValueError, match=r"line 2, column 'depth': 1e\+300 is too large to compute with"):
        read(tmp_path / "t.csv", TEXT.replace(f",{VALUES[0, 2]}\n", ",1e300\n", 1))


@pytest.mark.parametrize("value", ["1e30", "-4e7"])
def test_a_value_a_million_deviations_away_is_warned_of_by_row_and_column(tmp_path, value):
    table, words = read(tmp_path / "t.csv", TEXT.replace(f",{VALUES[0, 2]}\n", f",{value}\n", 1))
    assert "line 2, column 'depth'" in words
    assert "more than a million deviations" in words
    assert table.values[0, 2] == float(value)


def test_numbers_of_any_one_size_are_no_cause_for_warnings(tmp_path):
    table, words = read(tmp_path / "t.csv", (FRAME * 1e45).to_csv(index=False))
    assert words == ""
    np.testing.assert_allclose(table.values, VALUES * 1e45)


def test_lines_above_the_table_come_with_the_key_that_skips_them(tmp_path):
    content = f"Report of the week\nmade, by hand\n\n{TEXT}"
    with pytest.raises(ChoiceError, match=r"line 1: 1 fields where the table below has 3") as refused:
        read(tmp_path / "t.csv", content)
    table, _ = read(tmp_path / "t.csv", **refused.value.options)
    np.testing.assert_allclose(table.values, VALUES)


def test_a_delimiter_within_quotes_and_a_name_on_two_lines(tmp_path):
    table, _ = read(tmp_path / "t.csv", '"height\n(m)","a, b"\n1.5,2\n3,4.5\n2,2\n')
    assert table.values.tolist() == [[1.5, 2], [3, 4.5], [2, 2]]
    assert table.names == ("height\n(m)", "a, b")


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("maskaae.data.own.sniff.MOST_FREELY", 1000)
    with pytest.raises(ValueError, match=r"t\.csv\.bz2: unpacks to more than 1000 times its size"):
        read(tmp_path / "t.csv.bz2", bz2.compress(b"1,2\n" * 10**6))


@pytest.mark.parametrize(
    ("content", "names", "said"),
    [
        ("a,,c\n1.5,2,3\n2,5,1\n1,1,1\n", ("a", "Unnamed: 1", "c"), "column 1 (from 0) has no name"),
        (TEXT + ",,\n,,\n", tuple(NAMES), "2 rows without a value (the first: line 92)"),
        ("a,b\n1.5D+02,1\n2D0,5\n1d-1,7\n", ("a", "b"), ""),
        ('[{"a": 1.5, "b": 2}, {"a": 3, "b": 9}, {"a": 2, "b": 1}]', ("a", "b"), ""),
        ('{"a": 1.5, "b": 2}\n{"a": 3, "b": 9}\n{"a": 2, "b": 1}\n', ("a", "b"), ""),
        (
            FRAME.assign(t=1e9 + 60 * np.arange(90)).to_csv(index=False),
            (*NAMES, "t"),
            "goes in equal steps, as time",
        ),
        (
            FRAME.assign(label=[3, 7] * 45).to_csv(index=False),
            (*NAMES, "label"),
            "if it holds classes, set label",
        ),
    ],
)
def test_odd_tables(tmp_path, content, names, said):
    table, words = read(tmp_path / "t.csv", content)
    assert table.names == names
    assert np.isfinite(table.values).all()
    assert said in words
    assert (words == "") == (said == "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1.5,2,3\n2.5,5,1\n1.5,1,1\n", "2 names for the 3 fields of each row; name every column"),
        (f"{TEXT}1.5,2\n", "line 92: 2 fields where the first line has 3"),  # cut off
        (f"{TEXT}\nend\n{TEXT[25:]}", "line 93: 1 fields where the first line has 3"),  # in the middle
        (f"name,{TEXT}".replace("\n", "\nx,")[:-12], "fields where the first line has 4"),  # cut off
        ("a:b\n1.5:2\n2:5\n", r"no column holds numbers: a:b .*set delimiter"),
        ("a,b\n" + "#ff0000,1\n" * 99, "99 lines that start like comments .* in quotes"),
        ("1 1:0.5 7:2\n0 2:3.5\n", r"pairs of place and value \(svmlight, LIBSVM\) are not read"),
        ("1 qid:3 1:0.5 # a\n0 qid:3 2:3.5\n", r"pairs of place and value \(svmlight, LIBSVM\) are not read"),
        ("@relation r\n@attribute a real\n@data\n{0 1.5}\n", r"pairs of place and value \(sparse ARFF\)"),
        (
            "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 0.5\n",
            r"Market file; scipy\.sparse\.save_npz",
        ),
        ("a,b\n5%,1\n0.07,2\n3%,3\n", "'5%' and '0.07', which are of different units"),
        ("1 2 3\n4 5\n7 8 9\n1 3 4\n", r"line 2: 2 fields .*pandas\.read_fwf"),
        ('{"a": 1}\n{"a": 2}\n{"a"\n', "line 3: Expecting ':' delimiter"),
        (gzip.compress(gzip.compress(TEXT.encode())), "not read: compressed more than once; unpack it"),
        (b"BM\x36\0\0\0\0\0\0\0" + bytes(60), "not read: one image; give the folder"),
        (bytes(np.arange(90, dtype="f4")), r"bytes that no text has .*numpy\.fromfile"),
        ("<html><body>", "not read: a web page; save it as csv"),
        ("a,b\n1,2\n1,x\n", "line 3, column 'b': 'x' is not a finite number"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "t.csv", content)
