"""Table 1: bold only where intervals say so, cited rows labelled, every model in the catalogue's order."""

import numpy as np
import pandas as pd
import pytest

from maskaae.models.catalogue import TITLES as TITLES_OF_MODELS
from maskaae.report import table1
from maskaae.report.markup import LATEX, MARKDOWN
from maskaae.report.statistics import seed_interval

TITLES = {"digits": "my_digits"}
METRIC = {"digits": "fid_classifier_10k"}


def metrics_of(fids: dict[str, list[float]], m: int = 16) -> pd.DataFrame:
    """Two checkpoints a seed: the last is given, the one before it is one lower."""
    rows = [
        {"dataset": "digits", "model": model, "m": m, "seed": seed, "step": step, "active": m,
         "fid_classifier_10k": fid - (step == 100), "nac": 0.1, "reconstruction_mse": 0.02}
        for model, values in fids.items()
        for seed, fid in enumerate(values)
        for step in (100, 200)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(preset="robust")


def samplers_of(metrics: pd.DataFrame, train: float = 0.0) -> pd.DataFrame:
    """What the last checkpoints give: the mixture's FID is half the prior's."""
    at_end = metrics[metrics["step"] == 200]
    prior = at_end[["dataset", "preset", "model", "m", "seed"]].assign(
        sampler="prior", components=0, active=at_end["active"],
        fid_classifier_10k=at_end["fid_classifier_10k"],
        fid_classifier_10k_train=at_end["fid_classifier_10k"] + train,
        kid_classifier_10k=0.01, precision_classifier_10k=0.75, recall_classifier_10k=0.5,
    )  # fmt: skip
    halved = {name: prior[name] / 2 for name in prior if str(name).startswith("fid_")}
    return pd.concat([prior, prior.assign(sampler="mixture", components=10, **halved)], ignore_index=True)


def made(fids: dict[str, list[float]]) -> pd.DataFrame:
    metrics = metrics_of(fids)
    minutes = {("digits", model, 16): 2.0 for model in fids}
    return table1.table1(metrics, samplers_of(metrics), minutes, METRIC, TITLES)


def best_models(table: pd.DataFrame) -> list[str]:
    best = table[table["best"].astype(bool)]
    assert all(set(rows["quantity"]) == {"fid", "fid_mixture"} for _, rows in best.groupby("model"))
    return best["model"].unique().tolist()


def test_the_lowest_is_bold_where_its_interval_lies_below_all_others():
    fids = {"wae": [9, 9.1, 9.2], "maae": [1, 1.1, 1.2], "rae": [5, 6, 7]}
    table = made(fids)
    assert best_models(table) == ["maae"]
    document = table1.as_document(table, MARKDOWN)
    assert document.count("**") == 4
    assert "| MAAE (robust) | **1.10 ± 0.25** | **0.55 ± 0.12** |" in document
    assert r"\textbf{1.10 $\pm$ 0.25}" in table1.as_document(table, LATEX)


@pytest.mark.parametrize(
    "fids",
    [
        {"wae": [2.0, 3.0, 4.0], "maae": [1.0, 2.0, 3.0]},  # intervals overlap
        {"wae": [9.0, 9.1], "maae": [1.0, 1.1]},  # two seeds have a range, no interval
        {"wae": [9.0], "maae": [1.0]},
        {"maae": [1.0, 1.1, 1.2]},  # nothing to be better than
        {"wae": [9.0, 9.1, 9.2], "maae": [1.0, 1.1, 1.2], "rae": [5.0, 5.1]},  # one of them has a range
    ],
)
def test_nothing_is_bold_where_intervals_do_not_set_it_apart(fids):
    table = made(fids)
    assert best_models(table) == []
    document = table1.as_document(table, MARKDOWN)
    assert "**" not in document
    assert "Nothing is bold" in document


def test_a_model_without_a_defined_fid_is_neither_best_nor_in_the_way():
    fids = {"wae": [np.nan] * 3, "maae": [1, 1.1, 1.2], "rae": [5, 5.1, 5.2]}
    table = made(fids)
    assert best_models(table) == ["maae"]
    assert "| WAE | – | – |" in table1.as_document(table, MARKDOWN)


def test_seeds_that_diverged_are_counted_as_lost_and_in_nothing_else():
    metrics = metrics_of({"wae": [9, 9.1, np.nan], "maae": [1, 1.1, 1.2]})
    gone = metrics["fid_classifier_10k"].isna()
    metrics = metrics.assign(undefined=np.where(gone, "lost: diverged at step 90", None))
    minutes = {("digits", "wae", 16): 2.0, ("digits", "maae", 16): 2.0}
    samplers = samplers_of(metrics)
    gone = samplers["fid_classifier_10k"].isna()
    samplers = samplers.assign(undefined=np.where(gone, "lost: diverged at step 90", None))
    table = table1.table1(metrics, samplers, minutes, METRIC, TITLES)
    assert "| WAE | 9.05 [9.00, 9.10] (1 lost) |" in table1.as_document(table, MARKDOWN)


def test_both_samplers_stand_beside_each_other_with_precision_recall_and_kid():
    table = made({"wae": [9, 9.1, 9.2], "rae": [2, 3, 4]}).set_index(["model", "quantity"])
    assert table.loc[("rae", "fid"), "mean"] == pytest.approx(3)
    assert table.loc[("rae", "fid_mixture"), "mean"] == pytest.approx(1.5)
    assert table.loc[("wae", "recall_mixture"), "mean"] == 0.5
    assert table.loc[("wae", "components"), "mean"] == 10
    document = table1.as_document(table.reset_index(), MARKDOWN)
    assert "| Ours | my_digits, $m = 16$, prior | my_digits, $m = 16$, mixture |" in document
    assert "FID, mixture | KID, mixture | precision, mixture | recall, mixture | components |" in document


def test_each_model_stands_at_the_capacity_that_is_nearest_to_the_training_split():
    """At m = 8 the test split says 1, but the training split is 100 away: m = 16 is taken."""
    small, large = metrics_of({"wae": [1, 1.1, 1.2]}, m=8), metrics_of({"wae": [9, 9.1, 9.2]}, m=16)
    only_small = metrics_of({"rae": [5, 5.1, 5.2]}, m=8)
    metrics = pd.concat([small, large, only_small])
    samplers = pd.concat([samplers_of(small, train=100), samplers_of(large), samplers_of(only_small)])
    minutes = {("digits", "wae", 8): 1.0, ("digits", "wae", 16): 2.0, ("digits", "rae", 8): 3.0}
    table = table1.table1(metrics, samplers, minutes, METRIC, TITLES)
    ours = table[table["source"] == "ours"].set_index(["model", "quantity"])
    assert ours.loc[("wae", "fid"), ["m", "mean"]].tolist() == [16, pytest.approx(9.1)]
    assert ours.loc[("wae", "minutes"), "mean"] == 2.0
    assert ours.loc[("rae", "fid"), "m"] == 8
    document = table1.as_document(table, MARKDOWN)
    assert "| Ours | my_digits, prior | my_digits, mixture |" in document
    assert "| WAE | 16 | 9.10" in document


def test_fid_is_of_the_last_checkpoint_and_the_oracle_of_the_lowest():
    table = made({"wae": [9, 9.1, 9.2]}).set_index("quantity")
    assert table.loc["fid", "mean"].iloc[0] == pytest.approx(9.1)
    assert table.loc["fid_oracle", "mean"] == pytest.approx(8.1)
    assert table.loc["fid", "high"].iloc[0] == pytest.approx(seed_interval([9, 9.1, 9.2]).high)


def test_every_cited_number_is_labelled_and_never_among_ours():
    table = made({"wae_mmd": [9, 9.1, 9.2]})
    quoted = table[table["source"] == "cited"]
    assert len(quoted) == 6 * 4
    assert not quoted["best"].any()
    row = quoted.query("model == 'two_stage_vae' and dataset == 'celeba'").iloc[0]
    assert (row["mean"], row["plus_minus"], row["m"]) == (44.4, 0.7, 64)
    document = table1.as_document(table, MARKDOWN)
    assert "| WAE-MMD (cited) | 115.0 ± 1.1 | 101.7 ± 0.8 | 80.9 ± 0.4 | 62.9 ± 0.8 |" in document
    assert table1.CITED_SOURCE in document and "cannot be compared" in document
    for reason in ("JPEG", "cropped", "features", "oracle"):
        assert reason in document


def test_training_time_is_that_of_the_whole_run_also_after_a_resume():
    record = {
        "plan": {"steps": 9000},
        "steps": 6000,
        "steps_per_second": 50.0,
        "seconds": 3.0,
        "resumed_from_step": 5850,
    }
    assert table1.training_minutes(record) == 2.0


def test_models_stand_in_the_catalogues_order_in_every_part():
    table = made({"rae": [3, 4, 5], "maae": [1, 2, 3], "wae": [2, 3, 4]})
    document = table1.as_document(table, MARKDOWN)
    names = [line.split("|")[1].strip() for line in document.splitlines() if line.startswith("| ")]
    names = [name.removesuffix(" (robust)") for name in names]
    expected = [title for model, title in TITLES_OF_MODELS.items() if model in ("wae", "maae", "rae")]
    assert [name for name in names if name in expected] == expected * 3


def test_latex_has_as_many_columns_in_every_line():
    document = table1.as_document(made({"wae": [2, 3, 4], "maae": [1, 2, 3]}), LATEX)
    for tabular in document.split(r"\begin{tabular}")[1:]:
        columns = tabular[: tabular.index("\n")].strip("{}")
        lines = [line for line in tabular.splitlines() if line.endswith(r"\\")]
        assert {line.count("&") + 1 for line in lines} == {len(columns)}
    assert r"my\_digits" in document
