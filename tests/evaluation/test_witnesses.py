"""Witnesses beside a count: a number near the truth or a reason, and a verdict that warns with reason."""

import numpy as np
import pytest

from maskaae.evaluation.witnesses import (
    LOCAL_PCA,
    MLE,
    TWO_NN,
    Witness,
    agreement,
    merge_repeated,
    witnesses,
)


def flat(n, rows=700, columns=30, seed=0):
    """Gaussian rows on a flat subspace of n dimensions."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.standard_normal((columns, n)))
    return rng.standard_normal((rows, n)) @ axes.T


def numbers(x, seed=0):
    return {witness.name: witness.dimension for witness in witnesses(x, seed)}


def reasons(x):
    return {witness.name: witness.reason for witness in witnesses(x) if witness.dimension is None}


@pytest.mark.parametrize(("n", "within"), [(1, 0.15), (4, 0.5), (10, 1.5), (20, 4)])
def test_every_witness_finds_the_dimension_of_flat_data(n, within):
    """Uncorrected, MLE would say 15 of 20."""
    found = numbers(flat(n))
    assert list(found) == [TWO_NN, MLE, LOCAL_PCA]
    assert list(found.values()) == pytest.approx([n] * 3, abs=within)


@pytest.mark.parametrize("gap", [0.0, 1e-9])
def test_repeated_and_nearly_repeated_rows_count_once(gap):
    x = flat(4, rows=600)
    noise = gap * np.random.default_rng(1).standard_normal((1200, 30))
    repeated = np.concatenate([x, x]) + noise
    assert len(merge_repeated(repeated)) == 600
    found, once = numbers(repeated), numbers(x)
    assert list(found.values()) == pytest.approx(list(once.values()), abs=0.3)


@pytest.mark.parametrize("gap", [1e-5, 1e-3, 1e-2])
@pytest.mark.parametrize("times", [2, 5])
def test_rows_repeated_less_nearly_are_found_out(gap, times):
    """TwoNN would say 0.1 of twice repeated rows, and of five times repeated ones the noise's dimension."""
    x = np.repeat(flat(4, rows=800 // times), times, axis=0)
    x = x + gap * np.random.default_rng(1).standard_normal(x.shape)
    said = reasons(x)
    assert said[TWO_NN] == said[MLE]
    assert "many rows nearly repeat each other" in said[MLE]


@pytest.mark.parametrize(
    "x",
    [
        pytest.param(np.random.default_rng(0).integers(0, 2, (800, 30)), id="binary"),
        pytest.param(np.random.default_rng(0).integers(0, 2, (800, 9)), id="few binary"),
        pytest.param(np.round(flat(4, rows=800, columns=4) * 3), id="whole numbers"),
        pytest.param(flat(6, rows=800) > 0, id="signs"),
    ],
)
def test_columns_of_few_values_show_no_dimension(x):
    said = reasons(np.asarray(x))
    assert "columns hold few values" in said[TWO_NN]
    assert said.keys() == {TWO_NN, MLE, LOCAL_PCA}


def test_finely_rounded_columns_are_as_good_as_unrounded_ones():
    assert numbers(np.round(flat(4) * 100))[MLE] == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.ones((500, 3)), "only 1 of 500 rows differ, and it needs 100"),
        (flat(2, rows=40), "only 40 of 40 rows differ, and it needs 100"),
        (np.repeat(flat(2, rows=40), 50, axis=0), "only 40 of 2000 rows differ, and it needs 100"),
    ],
)
def test_too_few_different_rows_are_said(x, said):
    assert reasons(x) == dict.fromkeys((TWO_NN, MLE, LOCAL_PCA), said)


def test_local_pca_wants_more_rows_than_the_others():
    found = witnesses(flat(3, rows=200))
    assert [witness.dimension for witness in found[:2]] == pytest.approx([3, 3], abs=0.6)
    assert found[2].dimension is None
    assert "200 different rows are too few" in found[2].reason


def test_more_dimensions_than_neighbours_can_show_are_no_number():
    assert "no more than 40 dimensions" in reasons(flat(60, rows=600, columns=60))[LOCAL_PCA]


def test_no_estimate_is_larger_than_the_number_of_columns():
    found = numbers(np.random.default_rng(2).uniform(size=(400, 2)))
    assert max(found[TWO_NN], found[MLE]) <= 2


def test_images_are_rows_of_pixels_and_the_seed_decides():
    x = flat(3, rows=2500, columns=16)
    images = x.reshape(-1, 4, 4, 1)
    assert witnesses(images, 1) == witnesses(x, 1) == witnesses(x, 1)
    assert witnesses(x, 1) != witnesses(x, 2)
    assert witnesses(x, 1)[0].reason == "read from 2000 different rows of 2500"


def said(two_nn, mle, local_pca):
    return [
        Witness(name, dimension, "" if dimension else "rows repeat")
        for name, dimension in ((TWO_NN, two_nn), (MLE, mle), (LOCAL_PCA, local_pca))
    ]


@pytest.mark.parametrize(
    ("count", "heard", "agrees"),
    [
        (8, said(8.6, 7.8, 8.0), True),
        (21, said(9.0, 9.8, 16.3), False),  # a net of four layers with n = 8, and a net too small for it
        (14, said(9.0, 9.8, 16.3), False),
        (9, said(9.0, 9.8, 16.3), True),
        (4, said(6.2, 4.9, 5.1), True),  # noise of 0.1
        (2, said(17.8, 4.9, 2.4), True),  # the same: the nearest of the neighbours differ by noise
        (10, said(17.8, 4.9, 2.4), False),
        (32, said(22.0, 21.0, 27.0), True),  # neighbours are far apart in 32 dimensions
        (9, said(22.0, 24.0, None), False),
        (8, said(None, None, 9.0), True),
        (8, said(None, None, 30.0), False),
        (8, said(None, None, None), None),
    ],
)
def test_counts_off_by_more_than_witnesses_scatter_are_warned_of(count, heard, agrees):
    assert agreement(count, heard).agrees is agrees


def test_the_sentence_names_numbers_reasons_and_what_they_mean():
    text = agreement(21, said(9.0, None, 16.3)).sentence
    assert text.startswith(
        "Other estimators find TwoNN 9.0, local PCA 16.3. No number from MLE: rows repeat."
    )
    assert "The count of 21 is larger. Either the data are curved or closed" in text
    assert (
        "The count of 4 is smaller. Either the data are noisy" in agreement(4, said(9.0, 9.0, 9.0)).sentence
    )
    silent = agreement(4, said(None, None, None)).sentence
    assert (
        silent
        == "No number from TwoNN, MLE, local PCA: rows repeat. So nothing stands beside the count of 4."
    )
