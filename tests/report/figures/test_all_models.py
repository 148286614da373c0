"""The figures of all models: what spare dimensions cost, and samples in rows."""

import numpy as np
import pandas as pd
import pytest

from maskaae.report.figures import over_capacity, samples
from maskaae.report.figures.samples import REAL

CAPACITIES = [4, 8, 16, 32]
COURSES = {  # FID at each capacity
    "wae": [9.0, 2.0, 4.0, 8.0],  # spare dimensions cost a factor of four
    "maae": [9.0, 2.0, 2.0, 2.0],  # nothing
    "rae": [9.0, 8.0, 4.0, 2.0],  # lowest at the end
}


@pytest.fixture
def metrics() -> pd.DataFrame:
    rows = [
        {"dataset": "n8", "preset": "robust", "model": model, "m": m, "seed": seed, "step": step, "active": m,
         "fd_raw_10k": fid * 1.5 ** (seed - 1) + (step == 100)}
        for model, course in COURSES.items()
        for m, fid in zip(CAPACITIES, course, strict=True)
        for seed in range(3)
        for step in (100, 200)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(metrics: pd.DataFrame) -> pd.DataFrame:
    return over_capacity.all_models_data(metrics, {"n8": 8}, {"n8": "fd_raw_10k"}, {"n8": "Synthetic"})


def test_cost_of_spare_dimensions_is_the_geometric_mean_at_the_end_over_the_lowest(metrics):
    cost = drawn(metrics).groupby("model")["cost"].agg(["min", "max"])
    expected = {"wae": 4.0, "maae": 1.0, "rae": 1.0}
    assert cost["min"].to_dict() == pytest.approx(expected) == cost["max"].to_dict()


def test_every_panel_shows_one_model_and_the_others_behind_it(metrics):
    frame = drawn(metrics)
    figure = over_capacity.draw_all_models(frame)
    panels = [ax for block in figure.subfigs for ax in block.axes if ax.get_title()]
    assert len(panels) == 3
    for ax in panels:
        curves = [line for line in ax.lines if len(line.get_xdata()) == len(CAPACITIES)]
        assert len(curves) == 3  # its own and two others
    texts = {ax.get_title(): ax.texts[0].get_text() for ax in panels}
    assert texts["WAE"] == "×4 at $m=32$"
    assert texts["MAAE (robust)"] == "lowest at the largest $m$"


def test_a_model_undefined_somewhere_is_drawn_with_a_note(metrics):
    hit = (metrics["model"] == "rae") & (metrics["m"] == 16)
    metrics = metrics.assign(fd_raw_10k=metrics["fd_raw_10k"].mask(hit))
    figure = over_capacity.draw_all_models(drawn(metrics))
    texts = [text.get_text() for block in figure.subfigs for ax in block.axes for text in ax.texts]
    assert "3 undef." in texts


def test_sample_rows_hold_real_images_then_each_models_first_ones():
    random = np.random.default_rng(0)
    frames = []
    for model in ("wae", "rae"):
        kinds = ["generated"] * 64 + ["real"] * 16
        pixels = pd.DataFrame(random.integers(0, 256, size=(80, 4))).add_prefix("p")
        labels = pd.DataFrame(
            {"kind": kinds, "index": [*range(64), *range(16)], "dataset": "d", "preset": "robust"}
        )
        frames.append(pd.concat([labels.assign(model=model, m=16), pixels], axis=1))
    frame = samples.model_samples_data(pd.concat(frames), {"d": [2, 2, 1]}, {"d": "Digits"})
    counts = frame.groupby("model").size().to_dict()
    assert counts == {REAL: 16, "wae": 32, "rae": 32}
    rows = samples.draw_model_samples(frame).subfigs[0].axes
    assert [ax.get_ylabel() for ax in rows] == ["real", "RAE-L2", "WAE"]
    assert [ax.images[0].get_array().shape[:2] for ax in rows] == [(5, 23), (5, 47), (5, 47)]
