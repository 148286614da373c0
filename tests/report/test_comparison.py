"""A comparison says what each change does, by numbers made by hand."""

import math
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from maskaae.config.experiment import Group, Row
from maskaae.report.comparison import as_markdown, compare, draw, recount, summary
from maskaae.report.figures.drawing import paper_style, write_pages

GROUP = Group(
    title="n = 8",
    dataset="n8",
    capacities=(16, 32),
    rows=(
        Row("maae", "base", "base"),
        Row("maae-no_penalty", "no variance penalty", "change"),
        Row("wae", "WAE", "reference"),
    ),
    thresholds=(0.05, 0.3),
    preset="robust",
)
COUNTS = {
    ("maae", 16): [8, 9, 7],
    ("maae", 32): [9, 10, 11],
    ("maae-no_penalty", 16): [11, 10, 9],
    ("maae-no_penalty", 32): [30, 32, 31],
    ("wae", 16): [16, 16, 16],
    ("wae", 32): [32, 32, 32],
}
DISTANCE = {"maae": 1.0, "maae-no_penalty": 3.0, "wae": 2.0}


PRECISION = {"maae": 0.5, "maae-no_penalty": 0.0, "wae": 0.75}


def run_rows(label, m, step, factor):
    return [
        {
            "dataset": "n8", "model": label, "m": m, "seed": seed, "step": step, "active": active,
            "fd_raw_10k": factor * DISTANCE[label] + 0.1 * seed, "fd_raw_10k_soft": 5.0 + seed,
            "code_deviation": 0.9, "reconstruction_mse": 0.01,
        }
        for seed, active in enumerate(COUNTS[label, m])
    ]  # fmt: skip


@pytest.fixture
def metrics():
    """Each run at two checkpoints, the first of them ten times as far from the data."""
    rows = [
        row for label, m in COUNTS for step in (100, 200) for row in run_rows(label, m, step, 1000 / step)
    ]
    frame = pd.DataFrame(rows)
    frame.loc[frame["step"] == 200, "fd_raw_10k"] -= 4 * frame["model"].map(DISTANCE)
    return frame


@pytest.fixture
def history():
    """Masks of the base: 8 dimensions open, two at 0.3 and 0.04, the rest shut, at the last of two steps."""
    rows = []
    for m in (16, 32):
        for seed in range(3):
            mu = np.concatenate([np.ones(8), [0.3, 0.04], np.zeros(m - 10)])
            for step, values in ((10, np.ones(m)), (20, mu)):
                masks = {f"mu_{j}": value for j, value in enumerate(values)}
                rows.append(
                    {
                        "dataset": "n8",
                        "model": "maae",
                        "m": m,
                        "seed": seed,
                        "step": step,
                        "active": 9,
                        **masks,
                    }
                )
    return pd.DataFrame(rows)


@pytest.fixture
def frame(metrics, history):
    return compare([GROUP], metrics=metrics, history=history, n={"n8": 8}, metric={"n8": "fd_raw_10k"})


def row(table, name, m, quantity):
    found = table[(table["row"] == name) & (table["m"] == m) & (table["quantity"] == quantity)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_last_checkpoint_is_compared(frame):
    table = summary(frame)
    assert row(table, "base", 16, "distance")["mean"] == pytest.approx(1.0 + 0.1)
    assert row(table, "no variance penalty", 16, "distance")["mean"] == pytest.approx(3.0 + 0.1)


def test_the_count_error_is_signed_and_its_interval_that_of_three_seeds(frame):
    base = row(summary(frame), "base", 16, "count_error")
    assert base["mean"] == 0
    assert (base["seeds"], base["interval"]) == (3, "t95")
    assert base["high"] == pytest.approx(4.3027 * 1 / math.sqrt(3), rel=1e-4)  # t quantile of 2 degrees
    assert row(summary(frame), "no variance penalty", 32, "count_error")["mean"] == 23


def test_a_difference_is_paired_by_seed(frame):
    """Counts 8, 9, 7 against 11, 10, 9: differences 3, 1, 2, which spread less than chance pairing would."""
    change = row(summary(frame), "no variance penalty", 16, "count_error")
    assert change["difference"] == 2
    half = 4.3027 * 1 / math.sqrt(3)
    assert (change["difference_low"], change["difference_high"]) == pytest.approx(
        (2 - half, 2 + half), rel=1e-4
    )
    distance = row(summary(frame), "no variance penalty", 16, "distance")
    assert distance["difference_low"] == pytest.approx(2) == distance["difference_high"]


def test_the_base_has_no_difference_from_itself(frame):
    table = summary(frame)
    assert table.loc[table["kind"] == "base", "difference"].isna().all()


def test_the_base_is_shown_through_its_other_mask_without_another_count(frame):
    table = summary(frame)
    soft = row(table, "soft mask at sampling", 16, "distance")
    assert (soft["mean"], soft["metric"]) == (6.0, "fd_raw_10k_soft")
    assert "active" not in set(table.loc[table["row"] == "soft mask at sampling", "quantity"])


def test_other_thresholds_count_the_last_masks_again(history, frame):
    counts = recount(history[history["m"] == 16], [0.01, 0.05, 0.3, 0.5])
    assert counts.loc[counts["seed"] == 0, "active"].tolist() == [10, 9, 9, 8]
    table = summary(frame)
    assert row(table, "active from 0.05", 32, "count_error")["mean"] == 1
    assert "distance" not in set(table.loc[table["kind"] == "threshold", "quantity"])


def test_masks_of_unequal_capacity_are_counted_each_by_itself(history):
    counts = recount(history, [0.04])
    assert counts.groupby("m")["active"].first().to_dict() == {16: 10, 32: 10}


def test_a_seed_that_diverged_is_not_counted_as_empty(history):
    lost = history.copy()
    lost.loc[lost["seed"] == 1, lost.columns.str.startswith("mu_")] = np.nan
    counts = recount(lost, [0.04])
    assert counts.loc[counts["seed"] == 1, "active"].isna().all()
    assert (counts.loc[counts["seed"] != 1, "active"] == 10).all()


def test_where_n_is_unknown_counts_are_shown_as_they_are(metrics, history):
    unknown = compare([GROUP], metrics=metrics, history=history, n={"n8": None}, metric={"n8": "fd_raw_10k"})
    assert "count_error" not in set(unknown["quantity"])
    assert "active, m = 16" in as_markdown(summary(unknown))


def test_a_run_that_is_missing_is_named(metrics, history):
    short = metrics[~((metrics["model"] == "maae-no_penalty") & (metrics["m"] == 32))]
    with pytest.raises(ValueError, match=r"n = 8: maae-no_penalty on n8 has no rows at m = \[32\]"):
        compare([GROUP], metrics=short, history=history, n={"n8": 8}, metric={"n8": "fd_raw_10k"})


def test_the_markdown_has_a_line_a_change_below_the_base(frame):
    lines = as_markdown(summary(frame)).splitlines()
    assert lines[2].startswith("|  | count - n, m = 16 | count - n, m = 32 | Fréchet distance, m = 16")
    names = [line.split("|")[1].strip() for line in lines[4:10]]
    assert names == [
        "base",
        "no variance penalty",
        "WAE",
        "soft mask at sampling",
        "active from 0.05",
        "active from 0.3",
    ]
    assert "| 0 [-2.48, 2.48] | 2 [-0.484, 4.48] |" in lines[4]
    assert lines[-1] == "Last checkpoint; mean over 3 seeds, with 95 % interval of the mean in brackets."


@pytest.fixture
def with_precision(metrics, history):
    """The same runs where precision and recall were measured too, the soft mask's twice the binary's."""
    measured = metrics.assign(precision_raw_10k=metrics["model"].map(PRECISION), recall_raw_10k=0.25)
    for name in ("precision", "recall"):
        measured[f"{name}_raw_10k_soft"] = 2 * measured[f"{name}_raw_10k"]
    return compare([GROUP], metrics=measured, history=history, n={"n8": 8}, metric={"n8": "fd_raw_10k"})


def test_precision_and_recall_are_those_of_the_samples_whose_distance_is_shown(with_precision):
    table = summary(with_precision)
    assert row(table, "base", 16, "precision")["mean"] == 0.5
    assert row(table, "no variance penalty", 16, "precision")["difference"] == -0.5
    assert row(table, "soft mask at sampling", 16, "precision")["mean"] == 1.0
    assert row(table, "WAE", 32, "recall")["mean"] == 0.25
    assert "precision, m = 16 | precision, m = 32 | recall, m = 16" in as_markdown(table)


def test_precision_has_an_axis_only_where_it_was_measured(frame, with_precision):
    with paper_style():
        labels = [ax.get_xlabel() for ax in draw(summary(with_precision)).axes]
    assert labels.index("precision") == labels.index("Fréchet distance") + 1
    assert "precision" not in set(frame["quantity"])


def test_the_figure_has_the_base_on_top_and_an_axis_a_quantity(frame):
    with paper_style():
        drawn = draw(summary(frame))
    axes = drawn.axes
    assert [label.get_text() for label in axes[0].get_yticklabels()][:2] == ["base", "no variance penalty"]
    bottom, top = axes[0].get_ylim()
    assert bottom > top  # the first line stands at the top
    labels = [ax.get_xlabel() for ax in axes]
    assert labels == ["active $-\\,n$", "Fréchet distance", "code deviation", "reconstruction (MSE)"]


def test_every_capacity_is_drawn_also_where_there_are_more_than_styles(frame):
    one = frame[frame["m"] == frame["m"].max()]
    with paper_style():
        drawn = draw(summary(pd.concat([one.assign(m=m) for m in range(1, 9)])))
    assert [text.get_text() for text in drawn.legends[0].get_texts()][:8] == [
        f"$m = {m}$" for m in range(1, 9)
    ]


def test_labels_of_long_numbers_keep_apart(frame):
    measured = frame.replace("no variance penalty", "no variance penalty (with a long name)")  # narrow axes
    error = measured["quantity"] == "reconstruction_mse"
    measured.loc[error, "value"] = 0.00798 + 0.00042 * measured.loc[error, "seed"]
    with paper_style():
        drawn = draw(summary(measured))
        drawn.draw_without_rendering()
        ax = drawn.axes[-1]
        low, high = ax.get_xlim()
        ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        shown = [label.get_window_extent() for place, label in ticks if low <= place <= high]
    assert len(shown) >= 2
    assert all(right.x0 - left.x1 > 4 for left, right in pairwise(shown))  # pixels


def test_a_figure_a_group_is_a_page_each_and_the_same_to_the_byte(frame, tmp_path):
    table = summary(frame)
    two = pd.concat([table, table.assign(group="another group")])
    for name in ("first", "second"):
        paths = {end: tmp_path / f"{name}.{end}" for end in ("csv", "pdf", "png")}
        write_pages(two, draw, by="group", **paths)
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "first.pdf").read_bytes())) == 2
    with paper_style():
        one = draw(table)
    assert imread(tmp_path / "first.png").shape[0] == 2 * round(one.get_figheight() * 300)
    for end in ("csv", "pdf", "png"):
        assert (tmp_path / f"first.{end}").read_bytes() == (tmp_path / f"second.{end}").read_bytes()
