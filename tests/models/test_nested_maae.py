"""The nested mask: a known n is found, the mask follows what dimensions are worth, and settles in the end."""

import dataclasses

import numpy as np
import pytest
import torch

from maskaae.evaluation.evaluate import read_checkpoints
from maskaae.method.presets import ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw
from maskaae.models.build import build_for_training, build_model
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.loop import TrainingRun
from maskaae.training.stepping import Stepper
from maskaae.training.store import RunStore

SPEC = ModelSpec("maae", 6, (0, 1, 2), "vectors", (16,), (32,), (32,), ROBUST, steps=100)


def gaussian(n, size=16, count=4000):
    """Data on a random n-dimensional plane, every direction of it as wide as the others."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(size, n)))[0]
    return (rng.normal(size=(count, n)) @ directions.T).astype(np.float32)


def draws_for(model, data, batch=32):
    return Draws(model, TrainingData(data, "cpu"), batch, "cpu")


@pytest.mark.parametrize("n", [2, 3])
def test_known_dimension_is_found_from_twice_as_many(tmp_path, n):
    plan = TrainingPlan(steps=1500, batch_size=64, log_every=500, checkpoint_every=1500)
    run = TrainingRun(SPEC, gaussian(n), plan, RunStore(tmp_path, {}))
    run.train()
    assert run.model.active.sum(dim=1).tolist() == [n] * 3


def test_mask_moves_towards_the_dimensions_that_make_the_objective_smallest():
    model = build_model(dataclasses.replace(SPEC, reconstruction_unit=2.0))
    draw = draws_for(model, gaussian(3)).next()
    loss = next(
        update.loss
        for update in model.updates_with(draw, model.constants(0), model.phase(0))
        if update.name == "mask"
    )
    gradient = torch.autograd.grad(loss.sum(), model.mask_parameter)[0]
    weight = ROBUST.reconstruction_weight / 2.0
    objective = weight * model.cut_reconstruction + (1 + model.cut_wasserstein).square()
    opened = (gradient < 0).sum(dim=1)
    assert opened.tolist() == objective.argmin(dim=1).tolist()
    assert ((gradient < 0).float().diff(dim=1) <= 0).all()


def test_cut_errors_are_those_of_decoding_the_first_dimensions():
    model = build_model(SPEC)
    draw = draws_for(model, gaussian(3), batch=16).next()
    list(model.mask_updates(draw.batches[-1], draw.prior[-1], model.constants(0)))
    codes = model.encode(draw.batches[-1])
    codes[:, :, 4:] = 0.0
    error = (model.decode(codes) - draw.batches[-1]).square().mean(dim=(1, 2))
    torch.testing.assert_close(model.cut_reconstruction[:, 4], error)


def measured(model, reconstruction, wasserstein=0.0):
    """What a search has measured at every cut: errors and distances of codes of 0, 1, ... dimensions."""
    model.cut_reconstruction[:] = torch.as_tensor(reconstruction)
    model.cut_wasserstein[:] = torch.as_tensor(wasserstein)


@pytest.mark.parametrize(("factor", "count"), [(1.0, 2), (2.5, 3), (0.25, 1)])
def test_count_is_settled_at_a_weight_of_its_own(factor, count):
    """J = factor * 40 * rec + (1 + W)^2 with rec 1, 0.1, 0.02, 0 and W 0, 0, 0.5, 1.

    At 1: 5, 3.05, 4 from one dimension on; at 2.5: 11, 4.25, 4; at 0.25: 2, 2.45, 4.
    """
    model = build_model(
        dataclasses.replace(
            SPEC, m=3, seeds=(0,), hyperparameters=dataclasses.replace(ROBUST, settling_factor=factor)
        )
    )
    model.mask_parameter.data[:] = 3.0  # wherever the mask has come to
    measured(model, [1.0, 0.1, 0.02, 0.0], [0.0, 0.0, 0.5, 1.0])
    model.prepare(model.search_steps)
    assert model.active.sum(dim=1).tolist() == [count]
    assert model.count_at_weight(1.0).tolist() == [count]


def test_the_shortest_search_still_measures_once():
    """2 % of 20 steps are no step; without one there would be nothing to settle the count by."""
    hyperparameters = dataclasses.replace(ROBUST, search_share=0.02)
    assert build_model(dataclasses.replace(SPEC, steps=20, hyperparameters=hyperparameters)).search_steps == 1


def test_codes_are_cut_in_the_search_and_masked_after_it():
    model = build_model(SPEC)
    draw = draws_for(model, gaussian(3)).next()
    cut = model.gates(draw, model.constants(0), mask_learns=True)
    assert cut.shape == (ROBUST.critic_steps + 2, 3, 32, 6)
    assert set(cut.unique().tolist()) == {0.0, 1.0}
    assert (cut.diff(dim=-1) <= 0).all()  # once closed, closed for all further dimensions
    measured(model, [1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0])  # two dimensions say all
    model.prepare(model.search_steps)
    assert model.mu.tolist() == [[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]] * 3
    assert (
        model.gates(draw, model.constants(model.search_steps), mask_learns=False) == model.mu.unsqueeze(1)
    ).all()


@pytest.mark.parametrize("floor", [0.0, 0.2, 1.0])
def test_search_and_refinement_are_annealed_each_but_the_mask_is_not(floor):
    hyperparameters = dataclasses.replace(ROBUST, search_floor=floor, search_share=0.6, search_annealing=0.25)
    model = build_model(dataclasses.replace(SPEC, hyperparameters=hyperparameters))
    stepper = Stepper(model, 100, 32)
    draws = draws_for(model, gaussian(3))
    rates = {}
    for name, optimiser in stepper._optimisers.items():
        step = optimiser.step

        def noted(rate, name=name, step=step):
            rates.setdefault(name, []).append(rate)
            step(rate)

        optimiser.step = noted
    for step in range(100):
        stepper.step(Draw(*draws.next()), step)
    autoencoder = np.array(rates["autoencoder"]) / ROBUST.autoencoder_rate
    assert autoencoder[[0, 30, 45, 60, 80]].tolist() == [1.0] * 5
    assert autoencoder[59] == pytest.approx(max(floor, 1 / 15))
    assert autoencoder[99] < 0.06
    generator = np.array(rates["generator"]) / ROBUST.generator_rate
    assert generator[59] == pytest.approx(max(floor, 1 / 15))
    assert generator[99] < 0.06
    assert len(rates["mask"]) == 60
    assert set(rates["mask"]) == {ROBUST.mask_rate}


def test_cut_distance_grows_where_the_critic_tells_the_codes_from_the_prior():
    """Eq 16 has the right sign: the critic scores by the first coordinate, and the codes lie far below."""
    model = build_model(SPEC)
    model.critic.forward = lambda codes: codes[..., 0]
    model.encode = lambda x: torch.full((*x.shape[:-1], model.m), -5.0)
    prior = torch.zeros(3, 8, 6)
    model._measure(torch.zeros(3, 8, 16), prior, torch.full((3, 1), 6.0))
    assert model.cut_wasserstein.tolist() == [[0.0, *[5.0] * 6]] * 3


def with_room(**changes):
    return build_for_training(dataclasses.replace(SPEC, **changes))


def test_search_has_as_much_room_as_it_would_look_at_and_none_without_it():
    """Capacity 6: the search looks at 1.5 * 6 + 2 = 11."""
    model = with_room()
    assert (model.m, model.spec.capacity, model.mu.shape) == (11, 6, (3, 11))
    cramped = with_room(hyperparameters=dataclasses.replace(ROBUST, search_room=False))
    assert (cramped.m, cramped.stored_form()) == (6, cramped)


def test_mask_does_not_follow_an_objective_beyond_the_capacity():
    """Smallest with all 11 dimensions open: the mask opens the best number up to 6, and closes the rest."""
    model = with_room()
    model._measure = lambda x, prior, reach: None
    model.cut_reconstruction[:] = torch.linspace(1.0, 0.0, 12)
    model.cut_wasserstein[:] = 0.0
    draw = draws_for(model, gaussian(3)).next()
    (update,) = model.mask_updates(draw.batches[-1], draw.prior[-1], model.constants(0))
    gradient = torch.autograd.grad(update.loss.sum(), model.mask_parameter)[0]
    assert ((gradient < 0) == (torch.arange(11) < 6)).all()
    # Its loss is that of the six: l1 (5/11) + 1, and how far the mask is from them.
    away = (model.mu - (torch.arange(11) < 6).float()).abs().sum(dim=1)
    torch.testing.assert_close(update.loss, ROBUST.reconstruction_weight * 5 / 11 + 1 + away)


def test_weight_of_the_regulariser_is_that_of_the_capacity():
    """``c(t)`` holds 2 / m: the room is none of the model's dimensions."""
    assert with_room().constants(5) == build_model(SPEC).constants(5)


def test_room_is_closed_when_the_search_ends_however_far_the_mask_has_come():
    model = with_room()
    measured(model, torch.linspace(1.0, 0.0, 12))
    model.prepare(model.search_steps)
    assert model.mu.tolist() == [[1.0] * 6 + [0.0] * 5] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "kind": "images",
            "shape": (8, 8, 1),
            "network": "convolutional",
            "hidden": (),
            "channels": (4, 8),
            "normalisation": "batch",
        },
    ],
    ids=["mlp", "convolutional"],
)
def test_stored_form_computes_what_the_form_with_room_does(changes):
    """After the search: same codes, samples, scores of the critic and measurements, with 6 dimensions."""
    model = with_room(**changes)
    measured(model, [1.0, 0.5, 0.2, 0.1, *[0.0] * 8], torch.linspace(0.0, 1.0, 12))
    model.prepare(model.search_steps)
    model.lost[1] = "NaN in the critic loss at step 4"
    model.eval()
    stored = model.stored_form()
    assert (stored.m, stored.spec, stored.lost) == (6, dataclasses.replace(SPEC, **changes), model.lost)
    assert torch.equal(stored.active, model.active[:, :6])
    x = torch.rand(3, 5, stored.spec.data_dimension, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(stored.encode(x), model.encode(x)[:, :, :6])
    torch.testing.assert_close(stored.reconstruct(x), model.reconstruct(x))
    noise = torch.randn(3, 5, 11, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(stored.generate(noise[:, :, :6]), model.generate(noise))
    codes = noise * model.mu.unsqueeze(1)
    torch.testing.assert_close(stored.critic(codes[:, :, :6]), model.critic(codes))
    assert torch.equal(stored.cut_reconstruction, model.cut_reconstruction[:, :7])
    assert torch.equal(stored.count_at_weight(1.0), model.count_at_weight(1.0))


def test_run_leaves_checkpoints_history_and_model_of_the_capacity(tmp_path):
    plan = TrainingPlan(steps=20, batch_size=8, log_every=5, checkpoint_every=10)
    store = RunStore(tmp_path / "work", {})
    run = TrainingRun(SPEC, gaussian(3, count=100), plan, store)
    run.train()
    assert run.model.m == 11  # it was trained with room
    assert run.history["active"].le(6).all()
    assert [name for name in run.history if name.startswith("mu_")] == [f"mu_{j}" for j in range(6)]
    store.publish_checkpoints(tmp_path / "checkpoints")
    for _, model in read_checkpoints(tmp_path / "checkpoints"):
        assert (model.m, model.mu.shape, model.spec.most_active) == (6, (3, 6), None)


def test_counts_at_other_weights_by_hand():
    """J = f * 40 * rec + (1 + W)^2 for a count settled at l1 itself: best at 2, at 1 and at 3."""
    hyperparameters = dataclasses.replace(ROBUST, settling_factor=1.0)
    model = build_model(dataclasses.replace(SPEC, m=4, seeds=(0,), hyperparameters=hyperparameters))
    model.mask_parameter.data[:] = torch.tensor([3.0, 3.0, 0.0, 0.0])  # two open: all four are in reach
    model.cut_reconstruction[:] = torch.tensor([1.0, 0.1, 0.02, 0.0, 0.0])
    model.cut_wasserstein[:] = torch.tensor([0.0, 0.0, 0.5, 2.0, 3.0])
    assert [model.count_at_weight(factor).tolist() for factor in (1.0, 0.25, 16.0)] == [[2], [1], [3]]


def test_counts_at_other_weights_end_where_the_search_looks():
    """One open dimension of six: the search cuts up to 4, nothing above is known well enough."""
    model = build_model(dataclasses.replace(SPEC, seeds=(0,)))
    model.mask_parameter.data[:] = torch.tensor([3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    model.cut_reconstruction[:] = torch.linspace(1.0, 0.0, 7)
    model.cut_wasserstein[:] = 0.0
    assert model.count_at_weight(1.0).tolist() == [4]


def test_counts_at_other_weights_look_as_far_as_the_widest_window():
    """Three open of 12: the first window cuts up to 1.5 * 3 + 2, rounded up to 7; the last one up to 6."""
    model = build_model(dataclasses.replace(SPEC, m=12, seeds=(0,)))
    model.mask_parameter.data[:] = torch.where(torch.arange(12) < 3, 3.0, 0.0)
    model.cut_reconstruction[:] = torch.linspace(1.0, 0.0, 13)
    model.cut_wasserstein[:] = 0.0
    assert model.count_at_weight(1.0).tolist() == [7]


def test_codes_are_cut_ever_closer_around_the_count():
    """50 steps of search, four dimensions open of 12.

    They keep 1 to 8; 4 to 8 from step 25 on; floor(0.9 * 4) + 1 to ceil(1.15 * 4 + 2) from 38 on.
    """
    model = build_model(dataclasses.replace(SPEC, m=12))
    model.mask_parameter.data[:] = torch.where(torch.arange(12) < 4, 3.0, 0.0)
    draw = draws_for(model, gaussian(3), batch=400).next()
    window = {}
    for step in (0, 24, 25, 37, 38, 49):
        lengths = model.gates(draw, model.constants(step), mask_learns=True).sum(dim=-1)
        window[step] = (int(lengths.min()), int(lengths.max()))
    assert window == {0: (1, 8), 24: (1, 8), 25: (4, 8), 37: (4, 8), 38: (4, 7), 49: (4, 7)}


def test_beyond_the_reach_nothing_is_measured_again():
    """Reach 4, 2 and 9 of three seeds: cuts that no code is trained at keep what was measured before."""
    model = build_model(SPEC)
    x, prior = torch.ones(3, 8, 16), torch.ones(3, 8, 6)
    model._measure(x, prior, torch.full((3, 1), 6.0))
    before = model.cut_reconstruction.clone()
    model._measure(2 * x, prior, torch.tensor([[4.0], [2.0], [9.0]]))
    unchanged = (model.cut_reconstruction == before).sum(dim=1)
    assert unchanged.tolist() == [2, 4, 0]


def test_mask_does_not_follow_an_objective_beyond_the_reach():
    """One dimension open, reach ceil(1.15 + 2) = 4: smallest at 6, within reach at 4."""
    model = build_model(SPEC)
    model.mask_parameter.data[:] = torch.tensor([3.0, 0.1, 0.1, 0.1, 0.1, 0.1])
    model.cut_reconstruction[:] = torch.linspace(1.0, 0.0, 7)
    model.cut_wasserstein[:] = 0.0
    model._measure = lambda x, prior, reach: None
    draw = draws_for(model, gaussian(3)).next()
    (update,) = model.mask_updates(draw.batches[-1], draw.prior[-1], model.constants(59))
    gradient = torch.autograd.grad(update.loss.sum(), model.mask_parameter)[0]
    assert ((gradient < 0) == (torch.arange(6) < 4)).all()


def test_measurements_are_running_means():
    """The first one is taken as it is, later ones move the mean by a hundredth."""
    model = build_model(SPEC)
    model.critic.forward = lambda codes: codes.sum(dim=-1)
    model.encode = lambda x: torch.zeros(*x.shape[:-1], model.m)
    everywhere = torch.full((3, 1), 6.0)
    model._measure(torch.zeros(3, 8, 16), torch.zeros(3, 8, 6), everywhere)
    model._measure(torch.zeros(3, 8, 16), torch.ones(3, 8, 6), everywhere)
    expected = 0.01 * torch.arange(7.0).expand(3, -1)
    torch.testing.assert_close(model.cut_wasserstein, expected)


def test_a_full_capacity_is_cut_as_if_there_were_room():
    """All 6 dimensions open: the reach is 11, and the share of whole codes 0.3 + 0.7 * 6 / 11."""
    model = build_model(SPEC)
    assert model.active.all()
    gates = model.gates(
        draws_for(model, gaussian(3), batch=2000).next(), model.constants(0), mask_learns=True
    )
    whole = gates.prod(dim=-1).mean().item()
    assert whole == pytest.approx(0.3 + 0.7 * 6 / 11, abs=0.01)


def test_the_second_half_of_the_search_cuts_near_the_count():
    """All 6 dimensions open: codes keep one or more in the first half, more than floor(0.75 * 6) after it."""
    model = build_model(SPEC)
    draw = draws_for(model, gaussian(3), batch=2000).next()
    middle = model.search_steps // 2
    for step, shortest in ((middle - 1, 1), (middle, 5)):
        gates = model.gates(draw, model.constants(step), mask_learns=True)
        assert gates.sum(dim=-1).min() == shortest


def test_every_update_of_a_step_cuts_elsewhere():
    model = build_model(SPEC)
    gates = model.gates(draws_for(model, gaussian(3)).next(), model.constants(0), mask_learns=True)
    lengths = gates.sum(dim=-1)  # (update, seed, batch)
    assert (lengths[0] != lengths[1]).any()
    assert (lengths[1] != lengths[2]).any()


def test_a_new_stage_leaves_no_terms_of_the_search_in_the_history():
    model = build_model(SPEC)
    list(model.updates_with(draws_for(model, gaussian(3)).next(), model.constants(0), model.phase(0)))
    assert {"regulariser", "ramp"} <= set(model.monitors())
    model.prepare(model.search_steps)
    assert not {"regulariser", "ramp"} & set(model.monitors())
