"""Figure `cuts`: what was measured at each cut, at the end of the search."""

import pandas as pd
import pytest

from maskaae.report.figures import cuts


def history():
    """Two seeds, m = 2; the search ends at step 20, after which the measured values stay."""
    rows = [
        {
            "dataset": "d",
            "preset": "robust",
            "model": "maae",
            "m": 2,
            "seed": seed,
            "step": step,
            "active": active,
        }
        | {f"cut_reconstruction_{k}": error for k, error in enumerate(errors)}
        | {f"cut_wasserstein_{k}": 0.5 * k for k in range(3)}
        for seed in (0, 1)
        for step, active, errors in ((10, 2, (1.0, 0.9, 0.8)), (20, 1, (1.0, 0.2 + seed / 10, 0.1)))
    ]
    return pd.DataFrame(rows)


def test_values_are_those_of_the_end_at_every_cut():
    frame = cuts.cuts_data(history(), {"d": 1}, {"d": 1.5}, {"d": "Data"})
    errors = frame[frame["quantity"] == "reconstruction"].set_index(["seed", "k"])["value"]
    assert errors.to_dict() == pytest.approx(
        {(0, 0): 1.0, (0, 1): 0.2, (0, 2): 0.1, (1, 0): 1.0, (1, 1): 0.3, (1, 2): 0.1}
    )
    means = frame[frame["k"] == 1].drop_duplicates("quantity").set_index("quantity")["mean"]
    assert means.to_dict() == pytest.approx({"reconstruction": 0.25, "wasserstein": 0.5})
    assert (frame["active"] == 1).all()


def test_picture_has_a_panel_a_data_set_with_both_axes():
    two = pd.concat([history(), history().assign(dataset="e")])
    figure = cuts.draw_cuts(
        cuts.cuts_data(two, {"d": 1, "e": None}, {"d": 1.5, "e": 1.5}, {"e": "E", "d": "D"})
    )
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["E, $m=2$", "D, $m=2$"]
    labels = {ax.get_ylabel() for ax in figure.axes}
    assert {"reconstruction error", "Wasserstein estimate"} <= labels


def test_cuts_beyond_the_reach_of_the_search_are_left_out():
    closed = history().assign(active=0)  # the search looks at two dimensions then
    wide = closed.assign(cut_reconstruction_3=0.1, cut_wasserstein_3=0.1)
    assert set(cuts.cuts_data(wide, {"d": 1}, {"d": 1.5}, {"d": "D"})["k"]) == {0, 1, 2}


def test_cuts_end_where_the_search_of_any_seed_stopped_training_them():
    """The second seed keeps none, so that its search looked at two dimensions at most; the first at four."""
    one = history().assign(
        **{f"cut_{name}_{k}": 0.1 for name in ("reconstruction", "wasserstein") for k in (3, 4)}
    )
    other = one.assign(active=one["active"].where(one["seed"] == 0, 0))
    frame = cuts.cuts_data(other, {"d": 1}, {"d": 1.5}, {"d": "D"})
    assert set(frame["k"]) == {0, 1, 2} and set(frame["seeds"]) == {2}


def test_reach_is_that_of_each_data_sets_last_window():
    """Ten dimensions open: a last window up to 1.2 times as many ends at 14, one up to 1.5 at 17."""
    errors = {f"cut_{quantity}_{k}": 0.1 for quantity in ("reconstruction", "wasserstein") for k in range(20)}
    wide = history()[["dataset", "preset", "model", "m", "seed", "step"]].assign(active=10, **errors)
    two = pd.concat([wide, wide.assign(dataset="e")])
    frame = cuts.cuts_data(two, {"d": 1, "e": 1}, {"d": 1.2, "e": 1.5}, {"d": "D", "e": "E"})
    assert frame.groupby("dataset")["k"].max().to_dict() == {"d": 14, "e": 17}


def test_run_with_a_soft_mask_is_refused():
    with pytest.raises(
        ValueError, match=r"figure `cuts`: no column cut_.* in the histories of d; only .*nested"
    ):
        cuts.cuts_data(
            history()[["dataset", "preset", "model", "m", "seed", "step", "active"]],
            {"d": 1},
            {"d": 1.5},
            {"d": "D"},
        )
