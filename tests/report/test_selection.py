"""What the config chooses for a data set is what is drawn, in its order and under its name."""

import pandas as pd
import pytest

from maskaae.report.selection import add_by_dataset, choose_metric, in_order, metric_label


@pytest.fixture
def run() -> pd.DataFrame:
    """Two seeds with checkpoints out of order; seed 1 is best in the middle."""
    rows = [(0, 200, 2.0), (0, 100, 3.0), (1, 100, 4.0), (1, 200, 1.0), (1, 300, 5.0)]
    frame = pd.DataFrame(rows, columns=["seed", "step", "fd_raw_10k"])
    return frame.assign(dataset="synthetic", model="wae", m=8)


def test_the_metric_is_chosen_by_data_set(run: pd.DataFrame) -> None:
    both = pd.concat([run, run.assign(dataset="digits", fid_classifier_10k=7.0)])
    chosen = choose_metric(both, {"synthetic": "fd_raw_10k", "digits": "fid_classifier_10k"})
    assert chosen.loc[chosen["dataset"] == "digits", "value"].unique().tolist() == [7.0]
    assert chosen.loc[chosen["dataset"] == "synthetic", "value"].tolist() == run["fd_raw_10k"].tolist()


def test_a_metric_that_is_not_there_is_refused_by_name(run: pd.DataFrame) -> None:
    with pytest.raises(KeyError, match=r"synthetic.*no column 'fid_inception_10k'.*fd_raw_10k"):
        choose_metric(run, {"synthetic": "fid_inception_10k"})
    with pytest.raises(KeyError, match="no metric column chosen for data set 'synthetic'"):
        choose_metric(run, {"digits": "fd_raw_10k"})


def test_data_sets_stand_in_the_order_of_the_config(run: pd.DataFrame) -> None:
    both = pd.concat([run, run.assign(dataset="digits")])
    ordered = in_order(both, {"digits": "Digits", "synthetic": "Synthetic"})
    assert ordered["title"].unique().tolist() == ["Digits", "Synthetic"]
    assert ordered["step"].tolist() == 2 * run["step"].tolist()


def test_a_data_set_without_a_title_is_refused_by_name(run: pd.DataFrame) -> None:
    with pytest.raises(KeyError, match=r"no title given for data set 'synthetic'; given for \['digits'\]"):
        add_by_dataset(run, "title", {"digits": "Digits"})


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("fd_raw_10k", "Fréchet distance"),
        ("fid_classifier_2500", "FID (classifier features)"),
        ("fid_inception_10k_soft", "FID (Inception features), soft mask"),
        ("fid_inception_10k_minmax", "FID (Inception features), stretched"),
    ],
)
def test_axis_labels_come_from_the_metric_column(column: str, label: str) -> None:
    assert metric_label(column) == label


def test_an_unknown_metric_has_no_label() -> None:
    with pytest.raises(ValueError, match="'fid_vgg_10k' has no axis label"):
        metric_label("fid_vgg_10k")
