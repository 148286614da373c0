"""Figures 5 and 8 show training as it went: counts, masks, the step where a count settles."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from simulated_runs import METRIC, TITLES, TRUE_N, simulate_checkpoint, simulate_history

from maskaae.report.figures import over_training
from maskaae.report.figures.drawing import GREY

THRESHOLD = dict.fromkeys(TITLES, 0.1)


@pytest.fixture
def history(random: np.random.Generator) -> pd.DataFrame:
    """MAAE at two capacities, two seeds, 121 logged steps."""
    runs = [simulate_history("synthetic_n8", "maae", m, seeds=2, random=random) for m in (12, 16)]
    return pd.concat(runs, ignore_index=True)


def test_figure_5_colours_what_is_active_at_the_end_and_greys_what_is_masked(history: pd.DataFrame) -> None:
    figure = over_training.draw_fig5(over_training.fig5_data(history, TRUE_N, TITLES, THRESHOLD, {}))
    above = figure.axes[1]  # m = 16
    lines = [line for line in above.lines if len(line.get_xdata()) > 2]
    grey = [line for line in lines if same_color(line.get_color(), GREY)]
    assert (len(lines), len(grey)) == (16, 8)
    assert all(line.get_ydata()[-1] < 0.1 for line in grey)
    assert above.get_title() == "$m=16$, 8–9 active at the end"


def test_figure_5_shows_the_count_of_every_seed_and_the_masks_of_one(history: pd.DataFrame) -> None:
    frame = over_training.fig5_data(history, TRUE_N, TITLES, THRESHOLD, {})
    assert set(frame["seed"]) == {0, 1}
    masks = frame.filter(like="mu_")
    assert masks[frame["seed"] == 1].isna().all(axis=None)
    assert masks.loc[(frame["seed"] == 0) & (frame["m"] == 12), "mu_12":].isna().all(axis=None)
    assert masks.loc[(frame["seed"] == 0) & (frame["m"] == 16)].notna().all(axis=None)


def test_figure_5_marks_where_the_search_of_each_capacity_ends(history: pd.DataFrame) -> None:
    search = {("synthetic_n8", 12): 6000}
    figure = over_training.draw_fig5(over_training.fig5_data(history, TRUE_N, TITLES, THRESHOLD, search))
    style = over_training.END_OF_SEARCH["color"]
    marked = [
        {line.get_xdata()[0] for line in ax.lines if same_color(line.get_color(), style)}
        for ax in figure.axes
    ]
    assert marked == [{6000}, set(), {6000}, set()]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "end of the search" in entries


def test_a_mask_that_collapsed_is_drawn_all_grey(history: pd.DataFrame) -> None:
    masks = history.filter(like="mu_").columns
    last = history["step"] == 12000
    history.loc[last, masks] = history.loc[last, masks].where(history.loc[last, masks].isna(), 0.0)
    history.loc[last, "active"] = 0
    figure = over_training.draw_fig5(over_training.fig5_data(history, TRUE_N, TITLES, THRESHOLD, {}))
    lines = [line for line in figure.axes[1].lines if len(line.get_xdata()) > 2]
    assert all(same_color(line.get_color(), GREY) for line in lines)
    assert figure.axes[1].get_title() == "$m=16$, 0 active at the end"


def test_a_long_history_is_thinned_but_keeps_its_last_step(history: pd.DataFrame) -> None:
    steps = pd.DataFrame({"dataset": "a", "m": 4, "seed": 0, "step": np.arange(0, 100_000, 10) + 10})
    thinned = over_training.thin(steps)
    assert len(thinned) <= over_training.POINTS + 1
    assert thinned["step"].max() == 100_000
    assert len(over_training.thin(history)) == len(history)


@pytest.mark.parametrize(
    ("counts", "settled"),
    [([9, 9, 8, 9, 8, 8], 40), ([8, 8, 8, 8, 8, 8], 0), ([9, 9, 9, 9, 9, 8], 50)],
)
def test_a_mask_settles_where_its_final_count_begins_for_good(counts: list[int], settled: int) -> None:
    history = pd.DataFrame({"step": range(0, 60, 10), "active": counts})
    history = history.assign(dataset="a", model="maae", m=16, seed=3)
    assert over_training.settling_step(history).to_dict() == {("a", "maae", 16, 3): settled}


def test_a_model_without_a_mask_does_not_settle(random: np.random.Generator) -> None:
    assert over_training.settling_step(
        simulate_history("synthetic_n8", "wae", 16, seeds=1, random=random)
    ).empty


def test_batch_losses_are_averaged_over_blocks_of_equal_length() -> None:
    count = 2 * over_training.BLOCKS
    history = pd.DataFrame({"step": np.arange(count), "reconstruction": np.arange(count), "wasserstein": 1.0})
    means = over_training.block_means(history.assign(dataset="a", model="maae", m=16, seed=0))
    assert means["reconstruction"].tolist() == [0.5 + 2 * block for block in range(over_training.BLOCKS)]
    assert means["step"].tolist() == means["reconstruction"].tolist()


@pytest.fixture
def checkpoints(random: np.random.Generator) -> pd.DataFrame:
    rows = [
        simulate_checkpoint(dataset="synthetic_n8", model="maae", m=16, seed=seed, step=step, random=random)
        for seed in range(2)
        for step in (4000, 8000, 12000)
    ]
    return pd.DataFrame(rows)


def test_figure_8_has_three_panels_and_marks_where_each_seed_settles(
    history: pd.DataFrame, checkpoints: pd.DataFrame
) -> None:
    history = history[history["m"] == 16]
    frame = over_training.fig8_data(history, checkpoints, METRIC, TITLES)
    figure = over_training.draw_fig8(frame)
    labels = ["reconstruction error", "Wasserstein estimate", "Fréchet distance"]
    assert [ax.get_ylabel() for ax in figure.axes] == labels
    settled = set(over_training.settling_step(history))
    for ax in figure.axes:
        marks = {line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v"}
        assert marks == settled


def test_figure_8_averages_distances_as_logarithms_and_losses_as_they_are(
    history: pd.DataFrame, checkpoints: pd.DataFrame
) -> None:
    frame = over_training.fig8_data(history[history["m"] == 16], checkpoints, METRIC, TITLES)
    means = {"fid": lambda x: np.exp(np.log(x).mean()), "reconstruction": np.mean}
    for quantity, mean in means.items():
        rows = frame[frame["quantity"] == quantity]
        last = rows[rows["step"] == rows["step"].max()]
        assert last["value"].nunique() > 1, "seeds that differ"
        assert last["mean"].iloc[0] == pytest.approx(mean(last["value"]))


def test_figure_8_shows_the_distance_of_every_checkpoint(
    history: pd.DataFrame, checkpoints: pd.DataFrame
) -> None:
    frame = over_training.fig8_data(history[history["m"] == 16], checkpoints, METRIC, TITLES)
    shown = frame[frame["quantity"] == "fid"].set_index(["seed", "step"])["value"]
    expected = checkpoints.set_index(["seed", "step"])["fd_raw_10k"]
    pd.testing.assert_series_equal(
        shown.sort_index(), expected.sort_index(), check_names=False, check_index_type=False
    )
