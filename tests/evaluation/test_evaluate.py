"""Evaluation of whole runs, on linear models whose metrics have a closed form."""

import logging
import math

import numpy as np
import pandas as pd
import pytest
import torch

from maskaae.evaluation.classifier import Classifier
from maskaae.evaluation.encoding import covariance_table
from maskaae.evaluation.evaluate import evaluate_run
from maskaae.evaluation.examples import Sampling, sample_table, sampling_noise, to_stored_form
from maskaae.evaluation.features import ClassifierFeatures, RawFeatures, load_extractor, reference_statistics
from maskaae.evaluation.frechet import GaussianStatistics, frechet_distance, load_statistics, save_statistics
from maskaae.models.base import LatentModel

M, D = 3, 5
MU = torch.tensor([[1.0, 1.0, 0.05], [1.0, 0.6, 0.3]])  # seed 0: 2 active dimensions, seed 1: all 3


class LinearModel:
    """Decoder x = z @ weight + bias, its pseudo-inverse as encoder, critic = sum of the codes."""

    m = M

    def __init__(self, weight, bias=None, mu=MU, seeds=(7, 11)):
        self.seeds, self.mu, self.lost = seeds, mu, {}
        self.weight = weight  # (seed, m, D)
        self.bias = torch.zeros(len(seeds), 1, D) if bias is None else bias

    @property
    def active(self):
        return self.mu >= 0.1

    def encode(self, x):
        return (x - self.bias) @ torch.linalg.pinv(self.weight)

    def decode(self, codes):
        return codes @ self.weight + self.bias

    noise_size = m

    def inference_mask(self, mask):
        return self.active.float() if mask == "binary" else self.mu

    decode_through_mask = LatentModel.decode_through_mask
    generate, reconstruct = LatentModel.generate, LatentModel.reconstruct

    def critic(self, codes):
        return codes.sum(dim=2)


def weights(seeds=2, seed=0):
    return torch.randn(seeds, M, D, generator=torch.Generator().manual_seed(seed))


def standard_normal_reference(dimensions=D):
    return {"raw": GaussianStatistics(np.zeros(dimensions), np.eye(dimensions), 10_000)}


def test_split(count=400, seed=1):
    return np.random.default_rng(seed).standard_normal((count, D)).astype(np.float32)


test_split.__test__ = False


def evaluate(model, test=None, references=None, sampling=None, step=10):
    test = test_split() if test is None else test
    references = references or standard_normal_reference()
    sampling = sampling or Sampling(samples=2500, batch=500)
    return evaluate_run([(step, model)], test, references, [RawFeatures()], sampling)


def distance_to_standard_normal(weight, bias, gate):
    """Fréchet distance of N(bias, W^T gate^2 W) to N(0, I): |bias|^2 + sum (deviation - 1)^2."""
    deviations = np.linalg.svd(np.asarray(gate)[:, None] * weight.numpy(), compute_uv=False)
    deviations = np.concatenate([deviations, np.zeros(D - M)])
    return float((bias**2).sum()) + float(((deviations - 1) ** 2).sum())


class WeighingModel(LinearModel):
    """One that would keep a dimension more for every doubling of the reconstruction's weight."""

    def count_at_weight(self, factor):
        return self.active.sum(dim=1) + round(math.log2(factor))


def test_counts_at_less_and_more_weight_stand_in_their_columns():
    """A quarter of the weight is two doublings less, four times two more; a lost seed has none."""
    model = WeighingModel(weights())
    table = evaluate(model)
    assert table["active"].tolist() == [2, 3]
    assert table["active_low"].tolist() == [0, 1]
    assert table["active_high"].tolist() == [4, 5]
    model.lost = {11: "NaN in the critic loss at step 4"}
    table = evaluate(model).set_index("seed")
    for name, kept in {"active": 2, "active_low": 0, "active_high": 4}.items():
        assert table[name].dtype == "Int64", name
        assert table.loc[7, name] == kept
        assert table.loc[11, name] is pd.NA
    assert "active_low" not in evaluate(LinearModel(weights()))


def test_the_frechet_distance_of_a_known_gaussian_generator_is_found():
    weight, bias = weights(), torch.full((2, 1, D), 0.5)
    metrics = evaluate(LinearModel(weight, bias), sampling=Sampling(samples=50_000, batch=5000))
    for row, mu in zip(metrics.itertuples(), MU.numpy(), strict=True):
        seed = row.Index
        binary = distance_to_standard_normal(weight[seed], bias[seed], (mu >= 0.1).astype(float))
        soft = distance_to_standard_normal(weight[seed], bias[seed], mu)
        assert row.fd_raw_50k == pytest.approx(binary, rel=0.03)
        assert row.fd_raw_50k_soft == pytest.approx(soft, rel=0.03)


def test_one_row_per_checkpoint_and_seed_in_the_promised_columns():
    checkpoints = [(0, LinearModel(weights(seed=2))), (4000, LinearModel(weights()))]
    sampling = Sampling(samples=1000, batch=300)
    metrics = evaluate_run(checkpoints, test_split(), standard_normal_reference(), [RawFeatures()], sampling)
    expected = "m seed step active fd_raw_1k fd_raw_1k_soft nac code_deviation prior_divergence "
    expected += "reconstruction_mse wasserstein"
    assert metrics.columns.tolist() == expected.split()
    assert metrics[["m", "seed", "step", "active"]].to_numpy().tolist() == [
        *([3, 7, 0, 2], [3, 11, 0, 3]),
        *([3, 7, 4000, 2], [3, 11, 4000, 3]),
    ]


def test_a_seed_has_the_same_numbers_alone_and_beside_another():
    weight = weights()
    both = evaluate(LinearModel(weight))
    alone = evaluate(LinearModel(weight[1:], mu=MU[1:], seeds=(11,)))
    pd.testing.assert_frame_equal(both.iloc[1:].reset_index(drop=True), alone, rtol=1e-5)


def test_numbers_depend_on_neither_batch_size_nor_earlier_checkpoints():
    model = LinearModel(weights())
    once = evaluate(model)
    other_batch = evaluate(model, sampling=Sampling(samples=2500, batch=77))
    pd.testing.assert_frame_equal(once, other_batch, rtol=1e-5)
    sampling = Sampling(samples=2500, batch=500)
    twice = evaluate_run(
        [(1, model), (2, model)], test_split(), standard_normal_reference(), [RawFeatures()], sampling
    )
    assert (
        twice.drop(columns="step").iloc[:2].to_numpy().tolist()
        == twice.drop(columns="step").iloc[2:].to_numpy().tolist()
    )


def test_another_evaluation_seed_draws_other_samples():
    model = LinearModel(weights())
    one, other = (evaluate(model, sampling=Sampling(2500, 500, seed)) for seed in (0, 1))
    assert (one["fd_raw_2500"] != other["fd_raw_2500"]).all()
    assert one["reconstruction_mse"].equals(other["reconstruction_mse"])


def test_a_wae_is_sampled_once_since_its_masks_agree():
    calls = []

    class Counting(LinearModel):
        def generate(self, noise, mask="binary"):
            calls.append(mask)
            return super().generate(noise, mask)

    metrics = evaluate(Counting(weights(), mu=torch.ones(2, M)))
    assert set(calls) == {"binary"}
    assert metrics["fd_raw_2500"].equals(metrics["fd_raw_2500_soft"])


def test_reconstruction_error_is_zero_for_data_in_the_range_of_the_open_dimensions():
    weight = weights()
    codes = np.random.default_rng(3).standard_normal((200, M)).astype(np.float32)
    test = codes @ weight[1].numpy()  # all dimensions of the second seed are open
    metrics = evaluate(LinearModel(weight), test=test)
    assert metrics["reconstruction_mse"][1] == pytest.approx(0, abs=1e-10)
    # the first seed's third dimension is shut: what it would have encoded is lost
    model = LinearModel(weight)
    lost = model.encode(torch.from_numpy(test).expand(2, -1, -1))[0, :, 2:] @ weight[0, 2:]
    seen = model.decode(model.encode(torch.from_numpy(test).expand(2, -1, -1)))[0] - lost
    assert metrics["reconstruction_mse"][0] == pytest.approx(
        float((seen - torch.from_numpy(test)).square().mean())
    )


def test_wasserstein_estimate_is_prior_score_minus_encoded_score_of_softly_masked_codes():
    model = LinearModel(weights())
    codes = model.encode(torch.from_numpy(test_split() + 1).expand(2, -1, -1))
    metrics = evaluate(model, test=test_split() + 1, sampling=Sampling(50_000, 5000))
    encoded_score = (codes * MU.unsqueeze(1)).sum(dim=2).mean(dim=1)
    np.testing.assert_allclose(metrics["wasserstein"], -encoded_score.numpy(), atol=0.03)  # E C(mu zp) = 0


def test_a_model_without_critic_has_no_wasserstein_estimate():
    class Baseline(LinearModel):
        critic = None

    assert evaluate(Baseline(weights()))["wasserstein"].isna().all()


def test_nac_is_that_of_unmasked_codes_over_active_dimensions():
    model = LinearModel(weights())
    codes = model.encode(torch.from_numpy(test_split()).expand(2, -1, -1)).numpy()
    metrics = evaluate(model)
    assert metrics["nac"][0] == pytest.approx(abs(np.corrcoef(codes[0].T)[0, 1]), rel=1e-5)
    assert metrics["nac"][1] == pytest.approx(
        np.abs(np.corrcoef(codes[1].T)[np.triu_indices(3, 1)]).mean(), rel=1e-5
    )


def test_code_deviation_is_that_of_active_dimensions_and_one_on_the_prior():
    class Prior(LinearModel):
        def encode(self, x):
            return x[..., :M] * torch.tensor([1.0, 0.5, 7.0])

    metrics = evaluate(Prior(weights()), test=test_split(20_000))
    # seed 0 has shut the third dimension, so its codes count for nothing
    assert metrics["code_deviation"].tolist() == pytest.approx([1.5 / 2, 8.5 / 3], rel=0.02)


def test_a_collapsed_mask_and_a_diverged_seed_leave_gaps_with_a_reason(caplog):
    weight = weights()
    weight[1, 0, 0] = math.nan
    mu = torch.tensor([[0.0, 0, 0], [1, 1, 1]])
    with caplog.at_level(logging.WARNING):
        metrics = evaluate(LinearModel(torch.nan_to_num(weight), mu=mu))
        diverged = evaluate(Diverged(weight, mu=mu))
    assert metrics["active"].tolist() == [0, 3]
    assert math.isnan(metrics["nac"][0])
    assert metrics["fd_raw_2500"][0] == pytest.approx(D, rel=1e-6)  # a point at the mean: the trace of I
    assert math.isnan(diverged["fd_raw_2500"][1]) and not math.isnan(diverged["fd_raw_2500"][0])
    assert "0 active dimension(s)" in caplog.text
    assert "NaN or infinite" in caplog.text


class Diverged(LinearModel):
    """A decoder with NaN weights beside a sane encoder."""

    def encode(self, x):
        return x[..., :M]


def test_a_diverged_seed_of_an_image_model_is_not_hidden_by_quantisation():
    images = np.random.default_rng(0).integers(0, 256, (50, 1, D, 1), dtype=np.uint8)
    reference = {"raw": reference_statistics(images, RawFeatures(), batch=20)}
    weight = weights()
    weight[1] = math.nan
    metrics = evaluate(Diverged(weight), test=images, references=reference)
    assert metrics["fd_raw_2500"].isna().tolist() == [False, True]


def test_a_feature_space_without_reference_is_refused():
    with pytest.raises(ValueError, match="reference statistics of inception do not cover raw"):
        evaluate(LinearModel(weights()), references={"inception": standard_normal_reference()["raw"]})


def test_kid_in_a_space_that_is_not_measured_is_refused():
    arguments = [(0, LinearModel(weights()))], test_split(), standard_normal_reference(), [RawFeatures()]
    with pytest.raises(ValueError, match=r"neighbourhoods = \['inception'\]: choose from raw"):
        evaluate_run(*arguments, Sampling(), neighbourhoods=["inception"])


def test_classifier_features_of_images_are_measured_beside_the_raw_ones():
    images = np.random.default_rng(0).integers(0, 256, (50, 1, D, 1), dtype=np.uint8)
    classifier = Classifier((1, D, 1), 4, torch.Generator().manual_seed(0)).requires_grad_(False)
    extractors = [RawFeatures(), ClassifierFeatures(classifier)]
    references = {e.name: reference_statistics(images, e, batch=20) for e in extractors}
    model, sampling = LinearModel(weights()), Sampling(600, 100)
    metrics = evaluate_run([(0, model)], images, references, extractors, sampling)
    samples = torch.cat([model.generate(noise)[0] for noise in sampling_noise(model, sampling)])
    stored = to_stored_form(samples, (1, D, 1)).numpy()
    for extractor, column in zip(extractors, ("fd_raw_600", "fid_classifier_600"), strict=True):
        generated = reference_statistics(stored, extractor, batch=100)
        expected = frechet_distance(generated, references[extractor.name])
        assert metrics[column][0] == pytest.approx(expected, rel=1e-5)


def test_a_run_without_checkpoints_is_refused():
    with pytest.raises(ValueError, match="no checkpoints"):
        evaluate_run([], test_split(), standard_normal_reference(), [RawFeatures()], Sampling())


def test_reference_statistics_are_those_of_the_pixels_in_unit_range():
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    statistics = reference_statistics(images, RawFeatures(), batch=7)
    pixels = images.reshape(60, -1) / 255
    assert statistics.n_vectors == 60
    np.testing.assert_allclose(statistics.mean, pixels.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(statistics.covariance, np.cov(pixels.T), atol=1e-7)


def test_stored_statistics_come_back(tmp_path):
    statistics = standard_normal_reference()["raw"]
    save_statistics(statistics, tmp_path / "raw.npz")
    loaded = load_statistics(tmp_path / "raw.npz")
    assert loaded.n_vectors == statistics.n_vectors
    np.testing.assert_array_equal(loaded.covariance, statistics.covariance)
    np.savez(tmp_path / "other.npz", mean=np.zeros(2))
    with pytest.raises(ValueError, match=r"other\.npz: no array count, covariance"):
        load_statistics(tmp_path / "other.npz")


def test_an_unknown_feature_space_and_missing_weights_are_refused():
    with pytest.raises(
        ValueError, match="features = 'pixels': unknown; choose from raw, classifier, inception"
    ):
        load_extractor("pixels", None)
    with pytest.raises(ValueError, match="'classifier': they need a file of weights"):
        load_extractor("classifier", None)


def test_the_covariance_table_holds_every_pair_of_every_seed():
    model = LinearModel(weights())
    table = covariance_table(model, test_split(), batch=90)
    assert table.columns.tolist() == ["seed", "i", "j", "value", "active_i", "active_j"]
    assert len(table) == 2 * M * M
    codes = model.encode(torch.from_numpy(test_split()).expand(2, -1, -1)).numpy()
    pair = table.query("seed == 7 and i == 2 and j == 0").iloc[0]
    assert pair["value"] == pytest.approx(abs(np.corrcoef(codes[0].T)[2, 0]), rel=1e-5)
    assert (bool(pair["active_i"]), bool(pair["active_j"])) == (False, True)


def test_the_sample_table_holds_generated_real_and_reconstructed_images_in_order():
    images = np.random.default_rng(0).integers(0, 256, (50, 1, D, 1), dtype=np.uint8)
    weight = torch.cat([torch.eye(M, D)[None], weights(1)])
    table = sample_table(LinearModel(weight), images, generated=8, reconstructed=4, seed=0)
    assert table["kind"].value_counts().to_dict() == {"generated": 8, "real": 4, "reconstructed": 4}
    assert table.columns.tolist() == ["kind", "index", *(f"p{pixel}" for pixel in range(D))]
    pixels = table.set_index(["kind", "index"]).loc["real"].to_numpy()
    np.testing.assert_array_equal(pixels, images[:4].reshape(4, D))
    # seed 0 keeps the first two pixels, its third dimension is shut
    reconstructed = table.set_index(["kind", "index"]).loc["reconstructed"].to_numpy()
    np.testing.assert_array_equal(reconstructed[:, :2], pixels[:, :2])
    assert (reconstructed[:, 2:] == 0).all()
    assert (table.dtypes[2:] == np.uint8).all()


@pytest.mark.parametrize(
    ("arguments", "message"), [({"samples": 1}, "samples = 1"), ({"batch": 0}, "batch = 0")]
)
def test_impossible_sampling_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**arguments)
