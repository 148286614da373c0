"""Column names and the choice of a checkpoint."""

import numpy as np
import pandas as pd
import pytest

from maskaae.evaluation.protocol import RAW_LIMIT, feature_spaces, last, metric_column, oracle, samples_tag


@pytest.mark.parametrize(("samples", "tag"), [(10_000, "10k"), (2500, "2500"), (1000, "1k"), (64, "64")])
def test_sample_counts_are_written_short(samples, tag):
    assert samples_tag(samples) == tag


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="samples = 0"):
        samples_tag(0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fd_raw_10k", {"features": "raw"}),
        ("fd_raw_10k_soft", {"features": "raw", "mask": "soft"}),
        ("fid_classifier_10k", {"features": "classifier"}),
        ("fid_inception_10k_minmax_soft", {"features": "inception", "mask": "soft", "stretched": True}),
        ("kid_inception_10k", {"features": "inception", "measure": "kid"}),
    ],
)
def test_the_protocol_stands_in_the_column_name(name, arguments):
    assert metric_column(samples=10_000, **arguments) == name


@pytest.fixture
def metrics():
    """Two seeds of one run, steps out of order; seed 1 diverged at its last step, m = 8 always."""
    rows = [(0, 200, 3.0), (0, 100, 2.0), (0, 300, 5.0), (1, 100, 7.0), (1, 300, np.nan), (1, 200, 7.0)]
    rows += [(2, 100, np.nan), (2, 200, np.nan)]
    frame = pd.DataFrame(rows, columns=["seed", "step", "fd_raw_10k"])
    return frame.assign(dataset="synthetic", model="maae", m=8)


def test_last_is_the_largest_step_of_every_seed(metrics):
    assert last(metrics)[["seed", "step"]].to_numpy().tolist() == [[0, 300], [1, 300], [2, 200]]


def test_oracle_is_the_lowest_value_and_keeps_undefined_models_visible(metrics):
    chosen = oracle(metrics, "fd_raw_10k")
    assert chosen[["seed", "step"]].to_numpy().tolist() == [[0, 100], [1, 100], [2, 200]]
    np.testing.assert_array_equal(chosen["fd_raw_10k"], [2, 7, np.nan])


def test_runs_are_not_mixed(metrics):
    both = pd.concat([metrics, metrics.assign(m=16, fd_raw_10k=metrics["fd_raw_10k"] + 1)])
    assert last(both)["m"].tolist() == [8, 8, 8, 16, 16, 16]
    assert oracle(both, "fd_raw_10k")["fd_raw_10k"].tolist()[3:5] == [3, 8]


def test_a_missing_metric_is_named(metrics):
    with pytest.raises(KeyError, match="no column fid_classifier_10k; they have seed"):
        oracle(metrics, "fid_classifier_10k")


def test_raw_values_are_measured_beside_what_is_shown_unless_there_are_too_many():
    assert feature_spaces("inception", 3 * 32 * 32) == ("inception", "raw")
    assert feature_spaces("raw", RAW_LIMIT) == ("raw",)
    assert feature_spaces("inception", RAW_LIMIT + 1) == ("inception",)
    assert feature_spaces("classifier", None) == ("classifier", "raw")


def test_raw_values_of_large_images_are_refused_with_their_memory_and_a_way_out():
    with pytest.raises(ValueError, match=r"D = 12288 .*1\.2 GB each.* choose `inception`"):
        feature_spaces("raw", 3 * 64 * 64)
