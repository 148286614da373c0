"""What is said in the end about the user's own data."""

from pathlib import Path

import numpy as np
import pandas as pd

from maskaae.report.summary import BestModel, answer, best_model, count_dimensions, data_notes, summarise


def metrics(*rows):
    """Last checkpoints (m, seed, active, FID) of MAAE, after an earlier one whose numbers must not count."""
    early = [("own", "maae", m, seed, 1, 1, 0.0) for m, seed, _, _ in rows]
    end = [("own", "maae", m, seed, 2, active, fid) for m, seed, active, fid in rows]
    wae = [("own", "wae", m, seed, 2, m, 0.5) for m, seed, _, _ in rows]
    columns = ["dataset", "model", "m", "seed", "step", "active", "fd_raw_10k"]
    return pd.DataFrame([*early, *end, *wae], columns=columns)


def test_best_model_is_the_maae_of_lowest_fid_at_the_last_checkpoint():
    frame = metrics((8, 0, 5, 3.0), (8, 1, 4, 2.0), (16, 0, 0, 1.0), (16, 1, 6, np.nan))
    assert best_model(frame, "fd_raw_10k") == BestModel("maae", m=8, seed=1, active=4, fid=2.0)


def summary_of(frame):
    info = {"n_train": 80, "n_test": 20, "kind": "vectors", "shape": [2], "source": "table"}
    info["details"] = {"path": "my.csv"}
    return summarise(frame, "fd_raw_10k", info, Path("results/runs/own/wae/m8"), ["fig4.png"])


def test_the_summary_says_how_firm_the_count_is():
    """Medians over the runs that masked something: 5 of 8 and 6 of 16, not the 8 of 8."""
    frame = metrics((8, 0, 5, 3.0), (16, 0, 6, 3.0), (8, 1, 8, 3.0))
    assert "How firm" not in summary_of(frame)
    frame = frame.assign(active_low=frame["active"] - 1, active_high=frame["active"] + 2)
    words = "4 times less, the same searches would have chosen 4.5 dimensions, 4 times more 7.5"
    assert words in summary_of(frame)


def test_a_better_wae_is_not_kept_from_the_user():
    assert "A WAE has a lower Fréchet distance: m = 8, seed 0 (0.5)" in summary_of(metrics((8, 0, 5, 3.0)))
    assert "A WAE has a lower" not in summary_of(metrics((8, 0, 5, 0.4)))


def test_where_every_mask_collapsed_the_summary_says_so_and_what_to_do_and_offers_the_wae():
    frame = metrics((8, 0, 0, 1.0), (16, 0, 0, 2.0))
    assert best_model(frame, "fd_raw_10k") == BestModel("wae", m=8, seed=0, active=8, fid=0.5)
    text = summary_of(frame)
    assert "**No answer**: in all 2 runs the mask closed every dimension" in text
    assert "reconstruction_weight" in text
    assert "the WAE with the lowest" in text and "because no MAAE has a dimension left" in text
    assert 'MaskAAE.load("results/runs/own/wae/m8", seed=0)' in text


def test_without_a_wae_either_there_is_no_model_to_use():
    frame = metrics((8, 0, 0, 1.0)).query("model == 'maae'")
    assert best_model(frame, "fd_raw_10k").collapsed
    assert "None: every mask closed all dimensions" in summary_of(frame)


def test_count_is_the_median_of_runs_that_had_dimensions_to_spare():
    count = count_dimensions(
        metrics((4, 0, 4, 1.0), (8, 0, 5, 1.0), (8, 1, 6, 1.0), (16, 0, 6, 1.0), (16, 1, 0, 1.0))
    )
    assert (count.counts, count.saturated, count.collapsed) == ((5, 6, 6), 1, 1)
    text = answer(count, 784)
    assert "About 6 dimensions" in text and "5 to 6" in text
    assert "disagree" not in text
    assert "bounds the number from below: 1" in text and "collapsed to zero, which say nothing: 1" in text


def test_scattered_counts_are_said_to_disagree():
    assert "disagree" in answer(count_dimensions(metrics((16, 0, 5, 1.0), (16, 1, 11, 1.0))), 784)


def test_capacities_too_small_give_a_lower_bound_only():
    count = count_dimensions(metrics((4, 0, 4, 1.0), (8, 0, 8, 1.0)))
    text = answer(count, 784)
    assert "At least 8 dimensions" in text
    assert "larger capacities" in text
    assert "No answer yet" in answer(count, 8), "a mask that keeps all D dimensions has found nothing"


def test_notes_name_constant_columns_duplicates_and_conversions():
    details = {
        "scaling": {"method": "standardise", "columns": ["age", "site"], "constant": [1]},
        "duplicates": {"test_rows_in_train": 3, "first": 0},
        "converted": {"16 bits to 8": {"count": 4, "first": "a.png"}},
    }
    notes = " ".join(
        data_notes({"n_train": 80, "n_test": 20, "kind": "vectors", "shape": [2], "details": details})
    )
    assert "not scaled: site" in notes
    assert "3 test examples" in notes
    assert "16 bits to 8, 4 images" in notes
