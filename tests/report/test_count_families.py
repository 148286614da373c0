"""Counts on families of known n: shares by hand, what was wrong in silence, and the picture."""

from pathlib import Path

import pandas as pd
import pytest

from maskaae.config.checking import check_config
from maskaae.config.reading import read_config
from maskaae.report.count_families import as_markdown, compare, draw, is_silent, shares

CONFIG = Path(__file__).parents[2] / "config/count_families.yaml"


def answer(vote, warnings=(), **changes):
    """The answer of `maskaae count`, as its json says it."""
    return {
        "dimensions": vote,
        "counts": [vote, vote, vote + 1],
        "agreeing": 2,
        "settled": True,
        "converged_in_width": None,
        "warnings": [{"code": code, "sentence": "", "remedy": ""} for code in warnings],
        "witnesses": [
            {"name": "TwoNN", "dimension": 4.2, "reason": ""},
            {"name": "MLE", "dimension": None, "reason": "rows repeat"},
            {"name": "local PCA", "dimension": 5.0, "reason": ""},
        ],
        "rounds": [{"trial": {"capacity": 32}}, {"trial": {"capacity": 64}}],
        "validation_error": 0.02,
        "steps": 5000,
        "rows": 9000,
        "dimension": 100,
        "seconds": 60.0,
        **changes,
    }


def known(name, n, family="tanh", noise=0.0):
    return {"name": name, "n": n, "details": {"family": family, "noise": noise}}


def compared():
    """Errors 0, +1, -3 with a warning, +5 in silence, all of n up to 16; and of n = 32 errors of 2 and 3."""
    counts = [
        answer(4),
        answer(9),
        answer(5, ["not_settled"]),
        answer(21),
        answer(34),
        answer(29, ["seeds_lost"]),
    ]
    infos = [
        known("a", 4), known("b", 8, noise=0.1), known("c", 8), known("d", 16, "linear"),
        known("e", 32, "linear"), known("f", 32, "linear"),
    ]  # fmt: skip
    return compare(counts, infos)


def test_a_row_holds_what_the_answer_and_the_data_say():
    row = compared().set_index("dataset").loc["b"]
    assert (row["family"], row["n"], row["noise"], row["vote"], row["error"]) == ("tanh", 8, 0.1, 9, 1)
    assert (row["counts"], row["agreeing"], row["capacity"], row["rounds"]) == ("9 9 10", 2, 64, 2)
    assert (row["D"], row["rows"], row["seconds"], row["two_nn"], row["local_pca"]) == (100, 9000, 60, 4.2, 5)
    assert pd.isna(row["mle"])
    assert row["warnings"] == ""


def test_shares_by_hand():
    assert shares(compared()) == {
        "n <= 16, within one": "50% (2 of 4)",
        "n <= 16, exact": "25% (1 of 4)",
        "n > 16, within two": "50% (1 of 2)",
        "off by more than two, no warning": "1 of 6",
    }


def test_wrong_by_more_than_two_without_a_warning_is_silent():
    rows = compared().set_index("dataset")
    assert is_silent(rows)[lambda silent: silent].index.tolist() == ["d"]


def test_what_was_not_tried_has_no_share():
    assert shares(compare([answer(4)], [known("a", 4)]))["n > 16, within two"] == "none tried"


def test_the_table_gives_goals_families_and_every_data_set():
    text = as_markdown(compared())
    assert "| n <= 16, within one | 95 % | 50% (2 of 4) | 0% (0 of 1) | 67% (2 of 3) |" in text
    assert "| within two, but with a warning | - | 0% (0 of 3) | 0% (0 of 1) | 0% (0 of 2) |" in text
    assert "| d | 16 | 0.0 | 100 | 9000 | 64 | 21 21 22 | **21** | 4.2 | – | 5.0 | yes | – | 60 |" in text
    assert "| seconds, median | 90 | 60 | 60 | 60 |" in text
    assert "Off by more than two, and no warning: d. The vote" in text


def test_the_table_reads_the_same_from_its_csv(tmp_path):
    compared().to_csv(tmp_path / "rows.csv", index=False)
    assert shares(pd.read_csv(tmp_path / "rows.csv")) == shares(compared())


def test_the_picture_shows_every_error_and_rings_what_was_warned_of():
    rows = compared()
    ax = draw(rows).axes[0]
    dots = [line for line in ax.lines if line.get_marker() in "os" and line.get_markersize() == 4]
    rings = [line for line in ax.lines if line.get_markersize() == 7]
    assert sorted(float(line.get_xdata()[0]) for line in dots) == sorted(rows["error"])
    assert sorted(float(line.get_xdata()[0]) for line in rings) == [-3, -3]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["linear", "tanh"]
    assert sum(line.get_marker() == "s" for line in dots) == 1  # the noisy one


@pytest.mark.parametrize("part", ["judging", "choosing"])
def test_the_split_is_kept(part):
    """Judging uses seeds from 200 on and has families to itself; choosing uses seeds 0 to 3."""
    experiment = check_config(read_config(CONFIG))
    specs = [experiment.datasets[name].source_spec for name in experiment.count_families[part]]
    seeds, families = {spec["seed"] for spec in specs}, {spec.get("family", "shapes") for spec in specs}
    if part == "judging":
        assert min(seeds) >= 200
        assert {"sinusoids", "polynomial"} < families
        assert len(seeds) == len(specs)
    else:
        assert max(seeds) <= 3
        assert not families & {"sinusoids", "polynomial"}
