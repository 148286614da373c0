"""The comparison of ways of finding the dimension: errors, intervals and the picture, on constructed rows."""

import numpy as np
import pandas as pd
import pytest

from maskaae.evaluation.estimators import estimate
from maskaae.evaluation.flipd import FlipdPlan
from maskaae.report.dimensions import NAMES, as_markdown, compare, draw, kind_of_data, summarise

INFO = [
    {"name": "a", "n": 4, "details": {"latent": "gaussian", "noise": 0.0}},
    {"name": "b", "n": 8, "details": {"latent": "torus", "noise": 0.1}},
]


def compared():
    estimates = pd.DataFrame(
        {"dataset": d, "method": "mle", "seed": s, "estimate": n + s, "seconds": 0.5}
        for d, n in (("a", 4), ("b", 8))
        for s in (0, 1, 2)
    )
    metrics = pd.DataFrame(
        {"dataset": d, "preset": "robust", "model": "irmae", "m": 16, "seed": s, "step": t}
        | {"active": n - 1, "fd_raw_10k": 2 + s}
        for d, n in (("a", 4), ("b", 8))
        for s in (0, 1, 2)
        for t in (0, 100)
    )  # fmt: skip
    seconds = pd.DataFrame({"dataset": ["a", "b"], "model": "irmae", "m": 16, "seconds": [30.0, 60.0]})
    metric = {"a": "fd_raw_10k", "b": "fd_raw_10k"}
    return compare(estimates=estimates, metrics=metrics, seconds=seconds, info=INFO, metric=metric)


def test_errors_times_and_distances_by_hand():
    rows = compared().set_index(["dataset", "method", "seed"])
    assert rows.loc[("a", "mle", 2), "error"] == 2
    assert rows.loc[("b", "irmae", 0), "error"] == -1
    assert rows.loc[("b", "irmae", 1), "seconds"] == 20  # a third of the run that trained three seeds
    assert rows.loc[("a", "irmae", 1), "distance"] == 3
    assert np.isnan(rows.loc[("a", "mle", 1), "distance"])


def test_kind_of_data_is_said_in_words():
    assert [kind_of_data(info) for info in INFO] == ["clean", "torus latents, noise 0.1"]
    assert kind_of_data({"details": {"family": "deep_relu", "noise": 0.0}}) == "deep relu"
    assert kind_of_data({"details": {"family": "paper", "noise": 0.0}}) == "clean"


def test_table_shows_estimates_and_the_mean_absolute_error():
    table = summarise(compared())
    mle = table.query("dataset == 'a' and method == 'mle' and quantity == 'estimate'").iloc[0]
    assert (mle["mean"], mle["seeds"]) == (5.0, 3)
    text = as_markdown(table, {"a": "A", "b": "B"})
    assert "| clean: method | n = 4 | abs. error | distance | seconds |" in text
    assert "| MLE | 5.0 ± 2.5 | 1.00 | – | 0.5 |" in text
    assert "| IRMAE | 3.0 ± 0.0 | 1.00 | 3 | 10 |" in text


def test_the_picture_shows_estimates_as_shares_of_n_estimators_above_models():
    rows = compared()
    assert set(rows["method"]) <= set(NAMES)
    drawn = draw(summarise(rows))
    drawn.draw_without_rendering()
    kinds = ["clean", "torus latents, noise 0.1"]
    assert [ax.get_title() for ax in drawn.axes] == 2 * kinds
    shown = [
        line.get_ydata().tolist() for ax in drawn.axes for line in ax.lines if line.get_marker() != "None"
    ]
    assert shown == [[5 / 4], [9 / 8], [3 / 4], [7 / 8]]
    words = [text.get_text() for block in drawn.subfigs for text in block.legends[0].get_texts()]
    assert words[0] == "MLE" and words[3] == "IRMAE"


def test_estimators_see_other_examples_for_each_seed_and_the_same_for_the_same():
    x = np.random.default_rng(0).standard_normal((400, 3)).astype(np.float32)
    brief = FlipdPlan(hidden=8, steps=20, rows=50, times=(0.1, 0.2, 0.3))
    table = estimate(x, [0, 1], 150, brief)
    two_nn = table[table["method"] == "two_nn"].set_index("seed")["estimate"]
    assert two_nn[0] != two_nn[1]
    pd.testing.assert_series_equal(table["estimate"], estimate(x, [0, 1], 150, brief)["estimate"])
    assert table.loc[table["method"] == "flipd", "seed"].tolist() == [0, 1]
    assert table.loc[table["method"] != "flipd", "estimate"].to_numpy() == pytest.approx(3, abs=0.7)


def test_maae_is_called_by_its_preset():
    data = {"a": {"name": "a", "n": 4, "details": {}}}
    metrics = pd.DataFrame(
        {"dataset": "a", "preset": "paper", "model": "maae", "m": 8, "seed": s, "step": 9}
        | {"active": 5, "fd_raw_10k": 2.0}
        for s in (0, 1)
    )
    seconds = pd.DataFrame({"dataset": ["a"], "model": "maae", "m": 8, "seconds": [30.0]})
    estimates = pd.DataFrame({"dataset": "a", "method": "mle", "seed": [0, 1], "estimate": 4.0, "seconds": 1})
    rows = compare(
        estimates=estimates,
        metrics=metrics,
        seconds=seconds,
        info=list(data.values()),
        metric={"a": "fd_raw_10k"},
    )
    assert "| MAAE (paper) | 5.0" in as_markdown(summarise(rows), {"a": "A"})
