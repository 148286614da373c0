"""Figures 6, 7, 9 and 10: images, the ball cover, the generator net, covariance matrices."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from maskaae.report.figures import covariance, diagrams, samples

TITLES = {"digits": "Digits", "colour": "Colour", "synthetic_n8": "Synthetic, $n=8$"}


def simulated_samples(dataset: str, size: int, model: str = "maae") -> pd.DataFrame:
    """10 generated, 4 real and 4 reconstructed examples; example k of a kind has the value k everywhere."""
    parts = []
    for kind, count in {"generated": 10, "real": 4, "reconstructed": 4}.items():
        values = np.repeat(np.arange(count)[:, None], size, axis=1)
        part = pd.DataFrame(values).add_prefix("p")
        parts.append(part.assign(kind=kind, index=range(count)))
    return pd.concat(parts, ignore_index=True).assign(dataset=dataset, preset="robust", model=model, m=16)


def test_figure_6_takes_the_first_samples_that_fill_a_square_and_the_real_images() -> None:
    both = pd.concat([simulated_samples("digits", 4), simulated_samples("digits", 4, model="wae")])
    frame = samples.fig6_data(both, {"digits": [2, 2, 1]}, TITLES)
    assert frame.groupby("model").size().to_dict() == {"maae": 9, "real": 4, "wae": 9}
    assert frame.loc[frame["model"] == "maae", "pixels"].tolist() == [f"{k} {k} {k} {k}" for k in range(9)]


def test_a_mosaic_sets_images_column_by_column_with_white_gaps() -> None:
    rows = samples.fig6_data(simulated_samples("digits", 4), {"digits": [2, 2, 1]}, TITLES)
    image = samples.mosaic(rows[rows["model"] == "maae"], lines=3)
    assert image.shape == (8, 8, 3)
    assert image[::3, ::3, 0].tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert (image[2] == 255).all()
    assert (image[:, 2] == 255).all()


def test_colour_channels_keep_their_order() -> None:
    row = pd.DataFrame(
        {"index": [0], "height": [1], "width": [2], "channels": [3], "pixels": "0 10 20 30 40 50"}
    )
    assert samples.mosaic(row, lines=1).tolist() == [[[0, 10, 20], [30, 40, 50]]]


def test_data_sets_of_different_image_sizes_share_a_figure() -> None:
    both = pd.concat([simulated_samples("colour", 12), simulated_samples("digits", 4)])
    frame = samples.fig6_data(both, {"digits": [2, 2, 1], "colour": [2, 2, 3]}, TITLES)
    figure = samples.draw_fig6(frame)
    assert [block.get_suptitle() for block in figure.subfigs] == ["Digits", "Colour"]
    assert [ax.get_title() for ax in figure.subfigs[0].axes] == ["real", "MAAE (robust), $m=16$"]


def test_figure_6_refuses_vectors() -> None:
    with pytest.raises(ValueError, match=r"'digits' holds vectors \[128\]; figure 6 shows images"):
        samples.fig6_data(simulated_samples("digits", 128), {"digits": [128]}, TITLES)


def test_figure_7_has_16_balls_and_64_cells_that_tile_the_square() -> None:
    frame = diagrams.fig7_data()
    assert (frame["ball"].nunique(), len(frame)) == (16, 64)
    assert (frame["side"] ** 2).sum() == pytest.approx(1)
    assert len(frame.drop_duplicates(["cell_x", "cell_y"])) == 64


def test_every_cell_lies_in_its_ball_and_no_smaller_ball_would_do() -> None:
    frame = diagrams.fig7_data()
    corners = [
        np.hypot(
            frame["cell_x"] + dx * frame["side"] - frame["ball_x"],
            frame["cell_y"] + dy * frame["side"] - frame["ball_y"],
        )
        for dx in (0, 1)
        for dy in (0, 1)
    ]
    furthest = np.max(corners, axis=0)
    assert furthest == pytest.approx(frame["radius"])
    assert len(diagrams.draw_fig7(frame).axes[0].patches) == 64 + 16 + 1


def test_figure_9_draws_the_layers_that_the_data_set_reports() -> None:
    info = {"name": "synthetic_n8", "details": {"layers": [8, 64, 128], "slope": 0.2}}
    frame = diagrams.fig9_data([info], TITLES)
    assert frame["units"].tolist() == [8, 64, 128]
    assert frame["name"].tolist() == ["input", "hidden", "output"]
    written = {text.get_text() for text in diagrams.draw_fig9(frame).axes[0].texts}
    assert {r"$z\sim\mathcal{N}(0, I_{8})$", "64 units", r"$x\in\mathbb{R}^{128}$", "(slope 0.2)"} <= written


def test_figure_9_refuses_data_without_a_generator() -> None:
    with pytest.raises(ValueError, match="'digits' reports no layers"):
        diagrams.fig9_data([{"name": "digits", "details": {}}], TITLES)


def matrix(model: str, active: list[bool], off_diagonal: float) -> pd.DataFrame:
    """Equal covariance between all dimensions; the second seed's is twice the first's."""
    m = len(active)
    i, j = np.indices((m, m)).reshape(2, -1)
    mask = np.array(active)
    seeds = [
        pd.DataFrame({"seed": seed, "i": i, "j": j, "value": np.where(i == j, 1, factor * off_diagonal)})
        for seed, factor in enumerate((1, 2))
    ]
    both = pd.concat(seeds, ignore_index=True)
    names = {"dataset": "digits", "preset": "robust", "model": model}
    return both.assign(active_i=mask[both["i"]], active_j=mask[both["j"]], m=m, **names)


def titles(figure: Figure) -> list[str]:
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def test_figure_10_shows_the_mean_over_seeds_and_their_nac_over_active_dimensions() -> None:
    maae = matrix("maae", [True, True, False], 0.1)
    maae.loc[~(maae["active_i"] & maae["active_j"]), "value"] = 0.9
    frame = covariance.fig10_data(pd.concat([matrix("wae", [True] * 3, 0.25), maae]), TITLES)
    assert set(frame["seeds"]) == {2}
    assert frame.groupby("model")["nac"].first().to_dict() == pytest.approx({"maae": 0.15, "wae": 0.375})
    shown = frame.set_index(["model", "i", "j"])["value"]
    assert shown["maae", 0, 1] == pytest.approx(0.15)
    assert titles(covariance.draw_fig10(frame)) == [
        "WAE: 3 of $m=3$ active, NAC 0.375",
        "MAAE (robust): 2 of $m=3$ active, NAC 0.150",
    ]


def test_active_dimensions_of_every_seed_come_first_before_seeds_are_averaged() -> None:
    table = matrix("maae", [True, True, False], 0.1)
    second = table["seed"] == 1  # keeps the last two dimensions instead of the first two
    for axis in ("i", "j"):
        table[f"active_{axis}"] = np.where(second, table[axis] > 0, table[f"active_{axis}"])
    table.loc[~(table["active_i"] & table["active_j"]), "value"] = 0.9
    frame = covariance.fig10_data(table, TITLES)
    assert frame.drop_duplicates("i").sort_values("i")["active_i"].tolist() == [True, True, False]
    assert frame.set_index(["i", "j"])["value"][0, 1] == pytest.approx(0.15)
    assert frame["active"].unique() == [2]


def test_both_panels_of_figure_10_have_one_colour_scale_without_the_diagonal() -> None:
    figure = covariance.draw_fig10(
        covariance.fig10_data(
            pd.concat([matrix("wae", [True] * 3, 0.25), matrix("maae", [True] * 3, 0.1)]), TITLES
        )
    )
    scales = [ax.images[-1].get_clim() for ax in figure.axes if ax.get_title()]
    assert set(scales) == {(0, 0.375)}


def test_a_collapsed_mask_has_no_nac_and_constant_dimensions_are_left_open() -> None:
    maae = matrix("maae", [False] * 3, np.nan)
    maae["value"] = np.nan
    wae = matrix("wae", [True] * 3, 0.25)
    wae.loc[(wae["i"] == 2) | (wae["j"] == 2), "value"] = np.nan
    figure = covariance.draw_fig10(covariance.fig10_data(pd.concat([wae, maae]), TITLES))
    assert titles(figure) == [
        "WAE: 3 of $m=3$ active, NAC undefined",
        "MAAE (robust): 0 of $m=3$ active, NAC undefined",
    ]
    assert figure.axes[1].images[-1].get_array().mask.all()
    assert "undefined (constant)" in {text.get_text() for text in figure.legends[0].get_texts()}


def test_pairs_with_a_masked_dimension_are_left_out_of_figure_and_scale() -> None:
    maae = matrix("maae", [True, True, False], 0.1)
    maae.loc[~(maae["active_i"] & maae["active_j"]), "value"] = 0.9
    left_out, coloured = covariance.draw_fig10(covariance.fig10_data(maae, TITLES)).axes[0].images
    averaged = np.outer([True, True, False], [True, True, False])
    assert (coloured.get_array().mask == ~averaged).all()
    assert (left_out.get_array().mask == averaged).all()
    assert coloured.get_clim() == pytest.approx((0, 0.15))
