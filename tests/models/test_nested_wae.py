"""A WAE with MaskAAE's schedule is told the count: what is left between the two is the mask."""

import dataclasses

import numpy as np

from maskaae.method.presets import ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_for_training
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

SPEC = ModelSpec("wae_nested", 6, (0, 1), "vectors", (16,), (32,), (32,), ROBUST, steps=100)
DATA = np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32)


def trained(tmp_path, steps=60):
    plan = TrainingPlan(steps=steps, batch_size=32, log_every=20, checkpoint_every=steps)
    run = TrainingRun(SPEC, DATA, plan, RunStore(tmp_path, {}))
    run.train()
    return run


def test_every_dimension_is_kept_and_the_spare_ones_are_not(tmp_path):
    run = trained(tmp_path)
    assert run.model.m == 11  # ceil(1.5 * 6 + 2)
    assert run.model.active.sum(dim=1).tolist() == [6, 6]
    stored = run.model.stored_form()
    assert stored.m == 6 and stored.active.all()
    assert set(run.history["active"]) == {6}


def test_codes_are_cut_as_in_the_search_of_maskaae_and_whole_afterwards():
    model = build_for_training(SPEC)
    draw = Draws(model, TrainingData(DATA, "cpu"), 256, "cpu").next()
    kept = model.gates(draw, model.constants(0), mask_learns=True).sum(dim=-1)
    assert kept.min() == 1 and kept.max() == 11  # up to the reach of 6, search_reach(6)
    assert (kept == 11).float().mean() > ROBUST.full_share - 0.05
    late = model.gates(draw, model.constants(99), mask_learns=False)
    assert late.sum(dim=-1).unique().tolist() == [6.0]


def test_it_draws_what_maskaae_draws_and_learns_no_mask():
    ours = build_for_training(SPEC)
    maae = build_for_training(dataclasses.replace(SPEC, model="maae"))
    assert ours.draw_sizes == maae.draw_sizes
    assert set(maae.parameter_groups()) - set(ours.parameter_groups()) == {"mask"}
    draw = Draws(ours, TrainingData(DATA, "cpu"), 32, "cpu").next()
    names = [update.name for update in ours.updates_with(draw, ours.constants(0), ours.phase(0))]
    assert names == ["autoencoder", *["critic"] * ROBUST.critic_steps, "generator"]
