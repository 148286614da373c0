"""Which checkpoint stands for a run, and under which name."""

import pandas as pd
import pytest

from maskaae.figures.labels import metric_label
from maskaae.figures.selection import add_by_dataset, choose_metric, last_checkpoint, oracle_minimum


@pytest.fixture
def run() -> pd.DataFrame:
    """Two seeds with checkpoints out of order; seed 1 is best in the middle."""
    rows = [(0, 200, 2.0), (0, 100, 3.0), (1, 100, 4.0), (1, 200, 1.0), (1, 300, 5.0)]
    frame = pd.DataFrame(rows, columns=["seed", "step", "fd_raw_10k"])
    return frame.assign(dataset="synthetic", model="wae", m=8)


def test_the_last_checkpoint_is_that_of_the_largest_step_of_each_seed(run: pd.DataFrame) -> None:
    assert last_checkpoint(run)["fd_raw_10k"].tolist() == [2.0, 5.0]


def test_repeated_index_labels_do_not_repeat_seeds(run: pd.DataFrame) -> None:
    assert len(last_checkpoint(run.set_axis([0] * len(run)))) == 2


def test_the_oracle_is_the_minimum_over_checkpoints(run: pd.DataFrame) -> None:
    assert oracle_minimum(run, "fd_raw_10k")["fd_raw_10k"].tolist() == [2.0, 1.0]


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


def test_a_data_set_without_a_title_is_refused_by_name(run: pd.DataFrame) -> None:
    with pytest.raises(KeyError, match=r"no title given for data set 'synthetic'; given for \['digits'\]"):
        add_by_dataset(run, "title", {"digits": "Digits"})


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("fd_raw_10k", "Fréchet distance"),
        ("fid_classifier_2500", "FID (classifier features)"),
        ("fid_inception_10k_soft", "FID (Inception features), soft mask"),
    ],
)
def test_axis_labels_come_from_the_metric_column(column: str, label: str) -> None:
    assert metric_label(column) == label


def test_an_unknown_metric_has_no_label() -> None:
    with pytest.raises(ValueError, match="'fid_vgg_10k' has no axis label"):
        metric_label("fid_vgg_10k")
