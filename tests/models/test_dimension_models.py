"""IRMAE, Least Volume and ARD-VAE count the dimensions of a small linear case, and sample its law."""

import dataclasses

import numpy as np
import pytest
import torch

from maskaae.method.presets import ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model, load_model, model_bytes
from maskaae.models.least_volume import volume
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

N, M, D = 3, 8, 12
MODELS = ("irmae", "least_volume", "ard_vae")
SPEC = ModelSpec("irmae", M, (0, 1), "vectors", (D,), (), (), ROBUST)


def flat_data(count=2000):
    """Gaussian data on a flat subspace of N dimensions."""
    random = np.random.default_rng(0)
    axes, _ = np.linalg.qr(random.standard_normal((D, N)))
    return (2 * random.standard_normal((count, N)) @ axes.T).astype(np.float32)


@pytest.fixture(scope="module", params=MODELS)
def trained(request, tmp_path_factory):
    torch.set_num_threads(1)
    steps = 4000 if request.param == "least_volume" else 2000  # it turns its axes slowly
    plan = TrainingPlan(steps, 64, log_every=steps, checkpoint_every=steps)
    store = RunStore(tmp_path_factory.mktemp(request.param), {})
    run = TrainingRun(dataclasses.replace(SPEC, model=request.param), flat_data(), plan, store)
    run.train()
    return run.model.eval().requires_grad_(False)


def test_every_seed_counts_n(trained):
    # Least Volume may not have emptied the last superfluous axis yet.
    near = 1 if trained.spec.model == "least_volume" else 0
    assert all(N <= count <= N + near for count in trained.active.sum(dim=1).tolist())


def test_the_count_masks_nothing(trained):
    assert (trained.inference_mask("binary") == 1).all()


def test_samples_have_the_covariance_of_the_data(trained):
    noise = torch.randn(2, 20_000, trained.noise_size, generator=torch.Generator().manual_seed(1))
    truth = np.cov(flat_data().T)
    for x in trained.generate(noise).numpy():
        assert np.linalg.norm(np.cov(x.T) - truth) < 0.2 * np.linalg.norm(truth)


def test_the_file_keeps_the_count(trained, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(model_bytes(trained))
    loaded = load_model(tmp_path / "model.safetensors")
    assert torch.equal(loaded.active, trained.active)
    noise = torch.ones(2, 3, M)
    torch.testing.assert_close(loaded.generate(noise), trained.generate(noise), rtol=0, atol=0)


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_has_the_same_weights_alone_and_beside_others(name):
    both = build_model(dataclasses.replace(SPEC, model=name))
    alone = build_model(dataclasses.replace(SPEC, model=name, seeds=(1,)))
    for parameter, tensor in alone.state_dict().items():
        assert torch.equal(tensor[0], both.state_dict()[parameter][1]), parameter


def test_volume_by_hand():
    """Deviations 1 and 3 with 1 added: sqrt(2 * 4)."""
    codes = torch.tensor([[[1.0, 3.0], [-1.0, -3.0]]]) / 2**0.5
    torch.testing.assert_close(volume(codes), torch.tensor([8.0]).sqrt())


def test_decoder_of_least_volume_is_lipschitz():
    spec = dataclasses.replace(SPEC, model="least_volume", hidden=(16, 16))
    model = build_model(spec)
    first, second = torch.randn(2, 2, 500, M, generator=torch.Generator().manual_seed(0))
    apart = (model.decode(first) - model.decode(second)).norm(dim=-1)
    assert (apart <= (first - second).norm(dim=-1) * (1 + 1e-5)).all()


def test_least_volume_refuses_convolutions():
    spec = dataclasses.replace(
        SPEC, model="least_volume", network="convolutional", kind="images", shape=(8, 8, 1), channels=(4,)
    )
    with pytest.raises(ValueError, match="network kind 'convolutional'"):
        build_model(spec)


def test_relevance_counts_the_dimensions_that_have_99_per_cent():
    model = build_model(dataclasses.replace(SPEC, model="ard_vae", m=4))
    model.relevance.copy_(torch.tensor([[0.5, 0.004, 0.3, 0.196], [1.0, 0.0, 0.0, 0.0]]))
    assert model.active.tolist() == [[True, False, True, True], [True, False, False, False]]
