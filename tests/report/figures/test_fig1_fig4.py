"""Figures 1 and 4 show runs as they were: chosen checkpoints, seeds, collapsed masks, missing values."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from maskaae.report.figures import drawing, over_capacity

CHOICE = {
    "n": {"synthetic_n8": 8, "digits": None},
    "metric": {"synthetic_n8": "fd_raw_10k", "digits": "fid_classifier_10k"},
    "titles": {"synthetic_n8": "Synthetic, $n=8$", "digits": "Digits"},
}


def texts(figure: Figure) -> set[str]:
    return {text.get_text() for ax in figure.axes for text in ax.texts}


def legend(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.legends[0].get_texts()}


def collapse(metrics: pd.DataFrame, m: int, seed: int) -> pd.DataFrame:
    hit = (metrics["model"] == "maae") & (metrics["m"] == m) & (metrics["seed"] == seed)
    return metrics.assign(active=metrics["active"].mask(hit, 0), nac=metrics["nac"].mask(hit))


def test_figure_1_averages_the_last_checkpoint_of_wae(metrics: pd.DataFrame) -> None:
    frame = over_capacity.fig1_data(metrics, **CHOICE)
    expected = metrics.query("dataset == 'digits' and model == 'wae' and m == 16 and step == 12000")
    shown = frame.query("dataset == 'digits' and m == 16")
    geometric = np.exp(np.log(expected["fid_classifier_10k"]).mean())
    assert shown["mean"].unique() == pytest.approx([geometric])
    assert sorted(shown["value"]) == sorted(expected["fid_classifier_10k"])


def test_figure_1_has_a_panel_a_data_set_and_rings_the_lowest_mean(metrics: pd.DataFrame) -> None:
    frame = over_capacity.fig1_data(metrics, **CHOICE)
    figure = over_capacity.draw_fig1(frame)
    assert [ax.get_title() for ax in figure.axes] == ["Synthetic, $n=8$", "Digits"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["Fréchet distance", "FID\n(classifier features)"]
    rings = [line for ax in figure.axes for line in ax.lines if line.get_markerfacecolor() == "none"]
    lowest = [rows.loc[rows["mean"].idxmin(), "m"] for _, rows in frame.groupby("dataset", sort=False)]
    assert [ring.get_xdata()[0] for ring in rings] == lowest


def test_figure_4_holds_last_oracle_and_count(metrics: pd.DataFrame) -> None:
    frame = over_capacity.fig4_data(metrics, **CHOICE)
    run = metrics.query("dataset == 'synthetic_n8' and model == 'maae' and m == 24 and seed == 1")
    shown = frame.query("dataset == 'synthetic_n8' and model == 'maae' and m == 24 and seed == 1")
    values = shown.set_index("quantity")["value"]
    assert values["fid_last"] == run.loc[run["step"] == 12000, "fd_raw_10k"].item()
    assert values["fid_oracle"] == run["fd_raw_10k"].min()
    assert values["active"] == run.loc[run["step"] == 12000, "active"].item()
    assert not (frame.query("model == 'wae'")["quantity"] == "active").any()


def test_figure_4_has_counts_below_and_marks_the_true_dimension_in_both(metrics: pd.DataFrame) -> None:
    figure = over_capacity.draw_fig4(over_capacity.fig4_data(metrics, **CHOICE))
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "Fréchet distance",
        "active\ndimensions",
        "FID\n(classifier features)",
        "active\ndimensions",
    ]
    synthetic, count, digits, count_digits = figure.axes
    assert any(list(line.get_xdata()) == [8, 8] for line in synthetic.lines)
    assert any(list(line.get_ydata()) == [8, 8] for line in count.lines)
    assert not any(len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2 for line in digits.lines)
    assert not any(list(line.get_xdata()) == [0, 1] for line in count_digits.lines)


def test_figure_4_averages_distances_as_logarithms_and_counts_as_they_are(metrics: pd.DataFrame) -> None:
    frame = over_capacity.fig4_data(metrics, **CHOICE)
    for quantity, kind in {"fid_last": "log_t95", "fid_oracle": "log_t95", "active": "t95"}.items():
        assert set(frame.loc[frame["quantity"] == quantity, "kind"]) == {kind}
    group = frame.query("dataset == 'digits' and model == 'wae' and m == 16 and quantity == 'fid_last'")
    assert group["mean"].iloc[0] == pytest.approx(np.exp(np.log(group["value"]).mean()))
    assert group["low"].iloc[0] > 0


def test_a_collapsed_mask_is_a_cross(metrics: pd.DataFrame) -> None:
    frame = over_capacity.fig4_data(collapse(metrics, m=24, seed=1), **CHOICE)
    assert frame.loc[frame["collapsed"], ["m", "seed"]].drop_duplicates().to_numpy().tolist() == [[24, 1]]
    figure = over_capacity.draw_fig4(frame)
    crosses = [line for ax in figure.axes for line in ax.lines if line.get_marker() == "x"]
    assert [list(line.get_xdata()) for line in crosses] == [[24], [24]]  # at its FID and at its count
    assert "mask collapsed to 0" in legend(figure)
    assert "mask collapsed to 0" not in legend(
        over_capacity.draw_fig4(over_capacity.fig4_data(metrics, **CHOICE))
    )


def test_a_missing_value_is_named_where_it_is_missing(metrics: pd.DataFrame) -> None:
    hit = (metrics["model"] == "wae") & (metrics["m"] == 16) & (metrics["seed"] == 0)
    metrics = metrics.assign(fid_classifier_10k=metrics["fid_classifier_10k"].mask(hit))
    for figure in (
        over_capacity.draw_fig1(over_capacity.fig1_data(metrics, **CHOICE)),
        over_capacity.draw_fig4(over_capacity.fig4_data(metrics, **CHOICE)),
    ):
        assert "1 undef." in texts(figure)


def test_a_panel_without_any_value_says_so(metrics: pd.DataFrame) -> None:
    digits = metrics[metrics["dataset"] == "digits"].assign(fid_classifier_10k=np.nan)
    assert "no value is defined" in texts(over_capacity.draw_fig4(over_capacity.fig4_data(digits, **CHOICE)))
    assert "no value is defined" in texts(over_capacity.draw_fig1(over_capacity.fig1_data(digits, **CHOICE)))


def test_one_seed_is_drawn_without_an_interval(metrics: pd.DataFrame) -> None:
    frame = over_capacity.fig4_data(metrics[metrics["seed"] == 0], **CHOICE)
    assert frame["low"].isna().all()
    assert "one seed, no interval" in legend(over_capacity.draw_fig4(frame))


def test_distances_of_all_panels_stand_on_logarithmic_axes(metrics: pd.DataFrame) -> None:
    figure = over_capacity.draw_fig1(over_capacity.fig1_data(metrics, **CHOICE))
    assert {ax.get_yscale() for ax in figure.axes} == {"log"}


@drawing.paper_style()
def test_a_legend_is_never_wider_than_its_figure() -> None:
    figure = Figure(figsize=(drawing.SINGLE_COLUMN, 2))
    figure.subplots()
    labels = [f"95 % interval of the geometric mean, {seeds} seeds" for seeds in (5, 7)]
    drawing.legend_below(figure, dict.fromkeys(labels, drawing.collapse_handle()), columns=2)
    (legend,) = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width
    assert len(legend.get_texts()) == 2
