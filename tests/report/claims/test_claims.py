"""Claims on constructed runs in which it is known what holds."""

import math

import numpy as np
import pandas as pd
import pytest

from maskaae.report.claims.checks import CLAIMS, at_final_count, judge_claims
from maskaae.report.claims.measured import (
    Accuracy,
    Measured,
    Thresholds,
    accuracy,
    best_capacity,
    counts,
    distances,
    relative_distances,
)
from maskaae.report.claims.wording import as_markdown, caption, open_until, overall
from maskaae.report.records import RECORDS

SEEDS, STEPS = range(5), (0, 100, 200, 300, 400)
N = 4
CAPACITIES = (2, 4, 8, 16)
METRIC = {"known": "fd_raw_10k", "pictures": "fid_classifier_10k"}
TITLES = {"known": "Known n", "pictures": "Pictures"}


def distance(model, m):
    """The paper's picture: WAE's U with its lowest point at n, MAAE's flat from there on."""
    excess = max(m - N, 0) if model == "wae" else 0
    return 2.0 + 2.0 * max(N - m, 0) + 0.5 * excess


def checkpoint(dataset, model, m, *, seed, step, random):
    """A row of metrics.csv: everything falls until step 300, where the count becomes final."""
    masked = model == "maae" and m > N and step >= 300
    rest = max(0, 300 - step) / 300
    return {
        "dataset": dataset, "preset": "robust", "model": model, "m": m, "seed": seed, "step": step,
        "active": N if masked else m,
        METRIC[dataset]: distance(model, m) * (1 + 5 * rest) * (1 + 0.002 * random.standard_normal()),
        "nac": (0.1 if model == "wae" else 0.05) + 0.001 * random.standard_normal(),
        "reconstruction_mse": (0.01 + 0.1 * max(N - m, 0) + rest) * (1 + 0.01 * random.standard_normal()),
        "wasserstein": 0.01 * random.standard_normal() + rest,
        "prior_divergence": 0.1 * random.standard_normal() + (max(m - N, 0) if model == "wae" else 0),
    }  # fmt: skip


def runs(datasets=("known", "pictures"), models=("wae", "maae", "vae"), capacities=CAPACITIES, seeds=SEEDS):
    random = np.random.default_rng(0)
    return pd.DataFrame(
        checkpoint(dataset, model, m, seed=seed, step=step, random=random)
        for dataset in datasets
        for model in models
        for m in capacities
        for seed in seeds
        for step in STEPS
    )


def measure(metrics, **thresholds):
    return Measured.of(metrics, METRIC, {"known": N}, {"pictures": 8}, Thresholds(**thresholds))


def verdicts(metrics, **thresholds):
    return judge_claims(measure(metrics, **thresholds))


def report(metrics):
    measured = measure(metrics)
    return as_markdown(judge_claims(measured), measured, TITLES, "Preset `robust`; 400 steps")


def of_claims(table):
    return {letter: str(overall(rows)) for letter, rows in table.groupby("claim")}


def test_runs_that_are_as_the_paper_says_support_what_it_says():
    metrics = runs()
    vae = metrics["model"] == "vae"
    for column in METRIC.values():
        metrics.loc[vae, column] *= 2
    assert of_claims(verdicts(metrics)) == dict.fromkeys("abcdefgh", "supported")


@pytest.mark.parametrize(
    ("claim", "part", "model", "column", "change"),
    [
        ("a", "a1", "wae", "fd_raw_10k", lambda v, m: np.where(m == 8, 1.0, v)),
        ("a", "a2", "wae", "fd_raw_10k", lambda v, m: np.where(m == 16, 2.1, v)),
        ("b", "b1", "maae", "fd_raw_10k", lambda v, m: np.where(m == 16, 3.0, v)),
        ("b", "b2", "maae", "fd_raw_10k", lambda v, m: 1.2 * v),
        ("c", "c1", "maae", "active", lambda v, m: np.where(m == 16, 7, v)),
        ("d", "d1", "wae", "fid_classifier_10k", lambda v, m: np.where(m == 16, 1.0, v)),
        ("d", "d2", "maae", "fid_classifier_10k", lambda v, m: np.where(m == 16, 3.0, v)),
        ("d", "d3", "maae", "active", lambda v, m: np.where(m == 16, 9, v)),
        ("e", "e1", "vae", "fid_classifier_10k", lambda v, m: 0.25 * v),
        ("f", "f1", "maae", "nac", lambda v, m: 3 * v),
        ("h", "h1", "wae", "reconstruction_mse", lambda v, m: 0.01 + 0 * v),
        ("h", "h2", "wae", "prior_divergence", lambda v, m: 0 * v),
    ],
)
def test_one_thing_that_is_otherwise_is_found(claim, part, model, column, change):
    metrics = runs()
    for dataset_column in METRIC.values():
        metrics.loc[metrics["model"] == "vae", dataset_column] *= 2
    chosen = metrics["model"] == model
    metrics.loc[chosen, column] = change(metrics.loc[chosen, column], metrics.loc[chosen, "m"])
    table = verdicts(metrics)
    assert of_claims(table)[claim] == "not supported"
    assert table.set_index("part").loc[part, "verdict"] == "not supported"


def test_a_rival_is_called_by_its_title():
    metrics = runs()
    metrics.loc[metrics["model"] == "vae", list(METRIC.values())] *= 0.2
    assert verdicts(metrics).set_index("part").loc["e1", "at"] == "VAE (cross-entropy)"


def test_the_middle_of_the_u_is_sought_between_its_ends():
    """WAE's FID falls from 2 at m = 4 to 1 at m = 16: the U's right end is half as high as its middle."""
    metrics = runs()
    last = (metrics["model"] == "wae") & (metrics["m"] == 16)
    metrics.loc[last, "fid_classifier_10k"] = 1.0
    row = verdicts(metrics).set_index("part").loc["d1"]
    assert row["at"] == "m = 16"
    assert row["estimate"] == pytest.approx(0.5, rel=0.01)


def test_a_count_that_settles_after_everything_else_has_risen_again_is_not_where_fid_is_lowest():
    metrics = runs()
    late = (metrics["model"] == "maae") & (metrics["step"] == 400)
    metrics.loc[late, "fid_classifier_10k"] *= 0.2
    assert verdicts(metrics).set_index("part").loc["g1", "verdict"] == "not supported"


def test_shares_at_the_final_count_by_hand():
    run = pd.DataFrame(
        {
            "active": [8, 6, 4, 4],
            "value": [900.0, 5.0, 3.0, 1.0],
            "wasserstein": [9.0, -2.0, 0.0, 1.0],
            "reconstruction_mse": [1.0, 0.4, 0.3, 0.2],
        }
    )
    assert at_final_count(run) == pytest.approx((0.5, 0.0, 0.125))


def test_an_estimate_and_its_interval_by_hand():
    """Count errors of m = 16 are 0, 1, 2 in three seeds: mean 1, half-width 4.30 / sqrt(3) (one capacity)."""
    metrics = runs(models=("maae",), capacities=(16,), seeds=range(3))
    metrics["active"] = 4 + metrics["seed"]
    row = verdicts(metrics).set_index("part").loc["c1"]
    assert row["estimate"] == pytest.approx(1)
    assert row["high"] == pytest.approx(1 + 4.3027 / math.sqrt(3), rel=1e-4)
    assert row["verdict"] == "inconclusive"


def test_two_seeds_that_disagree_a_little_are_inconclusive():
    assert of_claims(verdicts(runs(seeds=range(1))))["a"] == "inconclusive"
    metrics = runs(seeds=range(2))
    metrics.loc[metrics["seed"] == 1, "nac"] *= 1.5
    assert of_claims(verdicts(metrics))["f"] == "inconclusive"


def test_what_was_not_trained_is_named():
    table = verdicts(runs(models=("wae", "maae"), capacities=(4, 8))).set_index("part")
    assert table.loc["e1", "verdict"] == "not tested"
    assert table.loc["e1", "needs"] == "MAAE and other auto-encoders at m = 8"
    assert table.loc["a1", "needs"] == "WAE at m = 4, below and above"
    assert table.loc["h1", "needs"] == "WAE at m = 4 and below"
    assert table.loc["h2", "verdict"] == "supported"


def test_without_images_their_claims_say_what_they_need():
    measured = Measured.of(runs(("known",)), METRIC, {"known": N}, {}, Thresholds())
    table = judge_claims(measured)
    assert set(table["claim"]) == set(CLAIMS)
    assert (table.loc[table["claim"].isin(list("defg")), "needs"] == "data sets of images").all()


def test_a_lost_seed_leaves_the_others_to_judge_by():
    metrics = runs()
    metrics.loc[metrics["seed"] == 4, ["fd_raw_10k", "nac", "active"]] = np.nan
    table = verdicts(metrics).set_index("part")
    assert table.loc["b1", "seeds"] == 4


def test_thresholds_of_the_configuration_count():
    assert of_claims(verdicts(runs(), rise=5.0))["a"] == "not supported"


def test_the_report_shows_verdicts_and_runs():
    text = report(runs())
    assert (
        "| (c) | MAAE's count of active dimensions is (nearly) n for every m >= n. | **supported** |" in text
    )
    assert "maae m = 4, 8, 16" in text
    assert "| fig8 | (g)" in text
    lines = caption("fig4", verdicts(runs()), TITLES)
    assert "**Claim (b):**" in lines and "Verdict: supported." in lines and "**Claim (h):**" not in lines


def test_every_claim_is_shown_somewhere():
    assert {letter for record in RECORDS.values() for letter in record.claims} == set(CLAIMS)


def test_counts_below_n_are_left_out_and_shares_are_those_of_the_runs():
    """Capacities 2 to 16 at n = 4: the count is m up to n, then n; two of fifteen runs are made wrong."""
    metrics = runs(datasets=("known",), models=("maae",))
    wrong = (metrics["step"] == STEPS[-1]) & (metrics["m"] == 8)
    metrics.loc[wrong & (metrics["seed"] == 0), "active"] = 5
    metrics.loc[wrong & (metrics["seed"] == 1), "active"] = 7
    found = counts(Measured.of(metrics, METRIC, {"known": N}, {}, Thresholds()))
    assert set(found["m"]) == {4, 8, 16}
    near = accuracy(found)
    assert (near.runs, near.furthest) == (15, 3)
    assert near.exact == pytest.approx(13 / 15)
    assert near.nearly == pytest.approx(14 / 15)
    assert set(found["dataset"]) == {"known"} and set(found["n"]) == {N}
    text = report(metrics)
    assert "| Known n | 4 | 4 | 4, 4, 4, 4, 4 | 100% | 100% | 0 | – |" in text
    assert "| Known n | 4 | 8 | 5, 7, 4, 4, 4 | 60% | 80% | 3 | – |" in text
    assert "| all |  |  | 15 runs | 87% | 93% | 3 |  |" in text
    ranges = metrics.assign(active_low=3, active_high=np.where(metrics["m"] == 16, 9, 5))
    text = report(ranges)
    assert "| Known n | 4 | 4 | 4, 4, 4, 4, 4 | 100% | 100% | 0 | – |" in text, "no room at m = n"
    assert "| Known n | 4 | 16 | 4, 4, 4, 4, 4 | 100% | 100% | 0 | 3 to 9 |" in text


def test_accuracy_is_one_where_every_count_is_n():
    near = accuracy(pd.DataFrame({"active": [4, 8], "n": [4, 8]}))
    assert near == Accuracy(runs=2, exact=1.0, nearly=1.0, furthest=0)


def test_no_counts_without_data_of_known_n():
    found = counts(Measured.of(runs(datasets=("pictures",)), METRIC, {}, {"pictures": 8}, Thresholds()))
    assert found.empty
    assert "No run of MAAE" in report(runs(datasets=("pictures",)))


def test_distances_relative_to_the_best_wae_by_hand():
    """Two seeds are half of, and twice, WAE's 3 at m = 4: on average of logarithms equal to it."""
    metrics = runs(datasets=("known",), models=("wae", "maae"), seeds=range(2))
    wae, first = metrics["model"] == "wae", metrics["seed"] == 0
    metrics["fd_raw_10k"] = np.where(wae, np.where(metrics["m"] == 4, 3.0, 5.0), np.where(first, 1.5, 6.0))
    relative = relative_distances(measure(metrics))
    assert list(relative["m"]) == [4, 8, 16]  # m = 2 < n is left out
    assert set(relative["wae_m"]) == {4} and set(relative["seeds"]) == {2}
    half = 12.706 * math.log(2)  # t of 1 degree of freedom, times the deviation sqrt(2) log 2, over sqrt(2)
    assert relative["ratio"].to_numpy() == pytest.approx(1.0)
    assert relative["high"].to_numpy() == pytest.approx(math.exp(half), rel=1e-3)
    assert relative["low"].to_numpy() == pytest.approx(math.exp(-half), rel=1e-3)


def test_distances_on_images_are_those_of_every_capacity():
    relative = relative_distances(measure(runs(datasets=("pictures",))))
    assert list(relative["m"]) == list(CAPACITIES)
    assert relative.set_index("m").loc[2, "ratio"] == pytest.approx(3.0, rel=0.01)  # 6 to WAE's 2 at m = 4
    assert "| Pictures | MAAE (robust) | 2 | 4 | 3.00 | " in report(runs(datasets=("pictures",)))


def test_without_wae_there_is_nothing_to_compare_distances_with():
    metrics = runs(models=("maae",))
    assert relative_distances(measure(metrics)).empty
    assert "No data set with runs of both WAE and MAAE." in report(metrics)


def test_the_best_capacity_is_that_of_the_lowest_mean():
    assert best_capacity(pd.DataFrame({8: [1.0, 9.0], 16: [3.0, 3.0], 32: [4.0, 4.0]})) == 16


def test_a_seed_far_above_the_others_of_its_run_is_named_with_its_cause():
    metrics = runs(datasets=("known",), models=("wae", "maae"))
    stuck = (metrics["model"] == "wae") & (metrics["m"] == 4) & (metrics["seed"] == 3)
    metrics.loc[stuck, "fd_raw_10k"] *= 10
    metrics.loc[stuck, "prior_divergence"] = 7.5
    found = distances(measure(metrics))
    assert found.loc[found["stuck"], ["model", "m", "seed"]].to_numpy().tolist() == [["wae", 4, 3]]
    text = report(metrics)
    assert "seed 3 at 20" in text and "divergence from the prior 7.5 against" in text
    row = next(line for line in text.splitlines() if line.startswith("| Known n | WAE | 4 |"))
    median, mean = (float(number) for number in row.split("|")[4:6])
    assert median == pytest.approx(2.0, abs=0.01) and mean == pytest.approx(5.6, abs=0.1)  # left in the mean


def test_what_would_decide_an_inconclusive_claim_is_said():
    metrics = runs(seeds=range(3))
    off = (metrics["model"] == "maae") & (metrics["m"] == 16) & (metrics["seed"] == 1)
    metrics.loc[off & (metrics["step"] >= 300), "active"] = N + 2
    table = verdicts(metrics)
    rows = table[table["claim"] == "c"]
    assert of_claims(table)["c"] == "inconclusive"
    assert rows["leans"].tolist() == ["supported"] and rows["seeds_needed"].iloc[0] > 3
    assert f"{rows['seeds_needed'].iloc[0]:g} seeds would make it supported" in open_until(rows)


def test_the_report_says_whose_numbers_these_are():
    text = report(runs())
    assert text.startswith("Preset `robust`; 400 steps")
    found = text[text.index("## Statements") : text.index("## Figure by figure")]
    assert "MAAE (robust)" in found and "MAAE'" not in found and "MAAE at" not in found
