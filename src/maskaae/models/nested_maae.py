"""MaskAAE whose mask is learned from what each dimension is worth: the training of the preset ``robust``."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from maskaae.method.mask import project_
from maskaae.method.nested import (
    SearchLength,
    best_prefix,
    cut_everywhere,
    in_prefix,
    prefix_gates,
    prefix_lengths,
)
from maskaae.method.presets import search_reach
from maskaae.method.schedules import annealing_factor
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, Update
from maskaae.models.maae import (
    KEEPS_MASK,
    LEARNS_MASK,
    MaskedAdversarialAutoEncoder,
    StepConstants,
)

logger = logging.getLogger(__name__)

MEMORY = 0.01
"""Share of the newest batch in the running means of loss and distance: they remember some hundred steps."""

ROWS = 256
"""Codes, cut off in every way, that one update of the mask looks at; at most ``MOST_EXAMPLES`` examples."""

MOST_EXAMPLES = 16


class NestedMaskedAdversarialAutoEncoder(MaskedAdversarialAutoEncoder):
    """MaskAAE in two stages; see ``maskaae.method.nested`` for the idea, ``docs/robust.md`` for evidence.

    *Search*, the first ``search_share`` of the run: every update sees codes cut off after a random number of
    dimensions, and eq 17 is measured at every cut. The reconstruction error falls with every dimension that
    carries something new, the Wasserstein term rises with every dimension that the encoder cannot fill as the
    prior does (theorem 1's two sides); the mask follows the smallest sum. It looks at every number of
    dimensions at first, later ever closer around the count (``search_windows``). *Refinement*: the mask
    is set to zeros and ones by a last reading, in which the reconstruction weighs more (``settling_factor``),
    and the model with the dimensions that are left trains on by itself.
    """

    # Running means over batches, of codes cut off after 0, 1, ..., m dimensions, each (seed, m + 1):
    cut_reconstruction: Tensor
    cut_wasserstein: Tensor
    _limit: Tensor  # longest cut of a trial with fewer dimensions, (seed, 1); infinite without one

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        longest = max(1, min(spec.steps - 1, round(spec.hyperparameters.search_share * spec.steps)))
        self.search = SearchLength.planned(longest, spec.shortest_search)
        shape = (len(spec.seeds), spec.m + 1)
        self.register_buffer("cut_reconstruction", torch.full(shape, torch.nan))
        self.register_buffer("cut_wasserstein", torch.full(shape, torch.nan))
        self.register_buffer("_limit", torch.full((len(spec.seeds), 1), torch.inf), persistent=False)
        self._kept: dict[str, Tensor] = {}  # the state of every seed before its trial with fewer dimensions

    @classmethod
    def training_spec(cls, spec: ModelSpec) -> ModelSpec:
        """With room beyond the capacity m: ``ceil(1.5 m + 2)`` dimensions, all that the search may look at.

        With room, the critic finds spurious dimensions near the capacity too, as it does below it; and an
        encoder that is to fill all m dimensions can unfold the data in more of them first.
        """
        if not spec.hyperparameters.search_room:
            return spec
        return dataclasses.replace(spec, m=int(search_reach(spec.m)), most_active=spec.m)

    def stored_form(self) -> NestedMaskedAdversarialAutoEncoder:
        """The model without the room, whose dimensions come last in every axis, and are closed by the end."""
        if self.spec.most_active is None:
            return self
        form = type(self)(dataclasses.replace(self.spec, m=self.spec.most_active, most_active=None))
        wide = self.state_dict()
        form.load_state_dict(
            {name: wide[name][tuple(map(slice, tensor.shape))] for name, tensor in form.state_dict().items()}
        )
        form.lost = dict(self.lost)
        return form.to(self.mask_parameter.device).train(self.training)

    @property
    def draw_sizes(self) -> DrawSizes:
        """Those of the soft mask, its batch unseen, and where to cut for every update that sees codes."""
        return super().draw_sizes._replace(cuts=self.spec.hyperparameters.critic_steps + 2, unseen=1)

    @property
    def search_steps(self) -> int:
        """Training steps of the search as it is planned; at least one, by which the count is settled."""
        return self.search.end

    def run_length(self, longest: int) -> int:
        """The search and, in proportion to it, the refinement."""
        if self.search.end == self.search.longest:
            return longest
        proportional = round(self.search.end / self.spec.hyperparameters.search_share)
        return min(longest, max(self.search.end + 1, proportional))

    def schedule_state(self) -> dict[str, Any]:
        """What was read of the counts so far, and what a seed goes back to if its trial is worse."""
        return {"search": dataclasses.asdict(self.search), "limit": self._limit, "kept": self._kept}

    def restore_schedule(self, state: dict[str, Any]) -> None:
        """Go back to :meth:`schedule_state`."""
        self.search = SearchLength(**state["search"])
        self._limit.copy_(state["limit"])
        self._kept = {name: values.to(self._limit.device) for name, values in state["kept"].items()}

    def schedule_record(self) -> dict[str, Any]:
        """Length of the search, its readings, from when on each count settled, and the smallest eq 17."""
        objective = self.objective(self._limit).amin(dim=1).tolist()
        readings = zip(self.search.ends, self.search.readings, strict=False)
        seeds = [str(seed) for seed in self.seeds]
        return {
            "search": {
                "steps": self.search.end,
                "readings": [
                    {"step": step, "counts": dict(zip(seeds, counts, strict=True))}
                    for step, counts in readings
                ],
                "settled": dict(zip(seeds, self.search.settled(), strict=True)),
                "objective": {
                    seed: value if math.isfinite(value) else None
                    for seed, value in zip(seeds, objective, strict=True)
                },
            }
        }

    def phase(self, step: int) -> int:
        """``LEARNS_MASK`` during the search, from the first step on."""
        return LEARNS_MASK if step < self.search_steps else KEEPS_MASK

    def constants(self, step: int) -> StepConstants:
        """Those of the soft mask, and how short and how long codes may be cut."""
        windows, share = self.spec.hyperparameters.search_windows, self.search.share(step)
        window = [window for window in windows if share >= window.start][-1]
        return super().constants(step)._replace(shortest_cut=window.shortest, longest_cut=window.longest)

    def rate_share(self, group: str, step: int, steps: int) -> float:
        """Annealed in the refinement, and for a short time at the end of the search.

        What dimensions are worth is read off networks that have settled a little, yet most of the search
        trains with full rates. The mask keeps its full rate: what it learns at the end counts most.
        """
        h, end = self.spec.hyperparameters, self.search_steps
        if step >= end:
            return annealing_factor(step - end, steps - end, h.annealing)
        if group == "mask":
            return 1.0
        return max(h.search_floor, annealing_factor(self.search.share(step), 1.0, h.search_annealing))

    def prepare(self, step: int) -> bool:
        """Settle the mask when the search ends: dimensions are open or closed from then on.

        The last reading of eq 17 decides, with ``settling_factor`` times the weight that led the search. A
        search of settled length goes on with its next stage instead, as long as `SearchLength` plans one.
        """
        if step != self.search.end:
            return False
        better = self._is_better()
        if self.search.in_trial:  # it is over
            self._go_back(~better)
            self._forget_beyond_trials()
        counts = self.count_at_weight(1.0)
        self.search.read(counts.tolist(), [seed not in self.lost for seed in self.seeds], better.tolist())
        if self.search.ends[0] != self.search.longest:
            going_on = "it ends here" if self.search.finished else f"it goes on to step {self.search.end}"
            read = ", ".join(map(str, counts.tolist()))
            logger.info("search after %d steps: the seeds count %s; %s", step, read, going_on)
        if self.search.finished:
            self._settle(counts)
        else:
            self._begin_stage()
        return True

    @torch.no_grad()
    def _settle(self, counts: Tensor) -> None:
        """Open the first dimensions of every seed, as many as it counts, and close the others."""
        kept = in_prefix(counts.unsqueeze(1), self.m)
        self.mask_parameter.copy_(torch.where(kept, torch.inf, 0.0))
        for name in ("regulariser", "ramp"):  # or the history would go on with their last values
            self.terms.pop(name, None)

    @torch.no_grad()
    def _begin_stage(self) -> None:
        """Let every seed go on with the dimensions of its trial, of which it can go back, or with all."""
        limits = [math.inf if limit is None else limit for limit in self.search.limits]
        self._limit.copy_(torch.tensor(limits or [math.inf] * len(self.seeds)).unsqueeze(1))
        self._kept = {}
        if self.search.in_trial:
            self._kept = {name: values.clone() for name, values in self.state_dict().items()}
            self.mask_parameter.copy_(torch.where(in_prefix(self._limit, self.m), self.mask_parameter, 0.0))

    def _is_better(self) -> Tensor:
        """Whether the trial of each seed, (seed,), has made eq 17 smaller; False without a trial."""
        if not self._kept:
            return torch.zeros(len(self.seeds), dtype=torch.bool)
        before = self._objective_of(self._kept["cut_reconstruction"], self._kept["cut_wasserstein"])
        now = self._objective_of(self.cut_reconstruction, self.cut_wasserstein)
        within = in_prefix(self._limit + 1, now.shape[1])
        smaller = torch.where(within, now, torch.inf).amin(dim=1) < before.amin(dim=1)
        return (smaller & self._limit.isfinite().squeeze(1)).cpu()

    @torch.no_grad()
    def _go_back(self, seeds: Tensor) -> None:
        """Put some seeds, booleans (seed,), back to what they were before their trial."""
        for name, values in self.state_dict().items():
            values[seeds] = self._kept[name][seeds]  # every tensor leads with the seed axis
        self._limit[seeds] = torch.inf

    def gates(self, draw: Draw, constants: StepConstants, mask_learns: bool) -> Tensor:
        """Cut codes at random during the search; let them pass the mask afterwards.

        Where the reach is above m, a cut beyond m leaves a code whole: the last dimensions are then learned
        as often as those in the middle of a larger code.
        """
        if not mask_learns:
            return super().gates(draw, constants, mask_learns)
        least = (constants.shortest_cut * self._count).floor().view(1, -1, 1, 1)
        reach = self._reach(constants).view(1, -1, 1, 1)
        lengths = prefix_lengths(draw.cuts, least, reach, self.spec.hyperparameters.full_share)
        return prefix_gates(lengths, self.m)

    @property
    def _count(self) -> Tensor:
        """Open dimensions, (seed, 1), as floats."""
        return self.active.sum(dim=1, keepdim=True).to(self.mu.dtype)

    @torch.no_grad()
    def _forget_beyond_trials(self) -> None:
        """Make NaN of what was measured of more dimensions than a better trial had: of a poorer model."""
        beyond = ~in_prefix(self._limit + 1, self.m + 1)
        self.cut_reconstruction.masked_fill_(beyond, torch.nan)
        self.cut_wasserstein.masked_fill_(beyond, torch.nan)

    def _reach(self, constants: StepConstants) -> Tensor:
        """The longest cut that training sees, (seed, 1); it may be above m."""
        reach: Tensor = search_reach(self._count, constants.longest_cut)
        return torch.minimum(reach, self._limit)

    def mask_updates(self, x: Tensor, prior: Tensor, constants: StepConstants) -> Iterator[Update]:
        """Move the mask towards the first dimensions in reach that make eq 17 smallest, then project it.

        The gradient opens the dimensions of the best prefix and closes all others; only its sign counts, as
        RMSProp and Adam divide its size out.
        """
        h = self.spec.hyperparameters
        reach = self._reach(constants)
        self._measure(x, prior, reach)
        objective = self.objective(reach)
        wanted = best_prefix(objective, self.m).to(objective.dtype)  # (seed, m)
        away = (self.mu - wanted).abs().sum(dim=1)
        regulariser = constants.ramp * h.regulariser_weight * self.polarisation(constants)
        yield Update("mask", objective.amin(dim=1) + away + regulariser)
        project_(self.mask_parameter, h.mask_ceiling)

    def objective(self, reach: Tensor, factor: float = 1.0) -> Tensor:
        """``J(k)``: eq 17 of a mask that opens the first k dimensions, at ``factor`` times its ``l1``.

        Shape (seed, capacity + 1), infinite for k beyond the reach (seed, 1). The mask is one of zeros and
        ones, on which the last term of eq 17 is 0.
        """
        objective = self._objective_of(self.cut_reconstruction, self.cut_wasserstein, factor)
        within = in_prefix(reach + 1, objective.shape[1])  # cuts of 0 to reach dimensions
        return torch.where(within, objective, torch.inf)

    def _objective_of(self, reconstruction: Tensor, wasserstein: Tensor, factor: float = 1.0) -> Tensor:
        """``J(k)``, (seed, capacity + 1), of terms measured at every cut; infinite where they are NaN."""
        objective = self.mask_loss(reconstruction, wasserstein, 0.0, 0.0, factor)[:, : self.spec.capacity + 1]
        return torch.where(objective.isnan(), torch.inf, objective)

    @torch.no_grad()
    def count_at_weight(self, factor: float) -> Tensor:
        """The k, (seed,), that makes ``J(k)`` smallest, if the reconstruction weighs more or less.

        Evaluation asks at several factors how firm the count is. Cuts outside the search's last window were
        last trained before it, so ``J`` is too large there and the answer too close to the count.

        Parameters
        ----------
        factor : float
            On the weight that settles the count, ``settling_factor`` times ``l1``.
        """
        factor *= self.spec.hyperparameters.settling_factor
        reach = torch.minimum(search_reach(self._count), self._limit)
        return self.objective(reach, factor).argmin(dim=1)

    def monitors(self) -> dict[str, Tensor]:
        """Those of the soft mask, and the two measured terms of eq 17 at every cut, each (seed,)."""
        cuts = {"reconstruction": self.cut_reconstruction, "wasserstein": self.cut_wasserstein}
        columns = {
            f"cut_{name}_{k}": value
            for name, values in cuts.items()
            for k, value in enumerate(values.unbind(dim=1))
        }
        return {**super().monitors(), **columns}

    @torch.no_grad()
    def _measure(self, x: Tensor, prior: Tensor, reach: Tensor) -> None:
        """Bring the running means up to date with some examples, each cut off everywhere.

        Beyond the reach (seed, 1) they stay as they are: neither encoder nor critic is trained there.
        """
        examples = max(1, min(MOST_EXAMPLES, ROWS // (self.m + 1), x.shape[1]))
        x, prior = x[:, :examples], prior[:, :examples]
        seeds, m = len(self.seeds), self.m
        cut_codes = cut_everywhere(self.encode(x)).view(seeds, -1, m)  # (seed, example * (m + 1), m)
        cut_prior = cut_everywhere(prior).view(seeds, -1, m)
        decoded = self.decoder(cut_codes).view(seeds, examples, m + 1, -1).transpose(1, 2)
        error = self._reconstruction_loss(
            x.unsqueeze(1).expand(-1, m + 1, -1, -1).flatten(0, 1), decoded.flatten(0, 1)
        ).view(seeds, m + 1)
        scores = self.critic(cut_prior) - self.critic(cut_codes)
        wasserstein = scores.view(seeds, examples, m + 1).mean(dim=1)
        within = in_prefix(reach + 1, m + 1)  # cuts of 0 to reach dimensions
        for mean, value in ((self.cut_reconstruction, error), (self.cut_wasserstein, wasserstein)):
            moved = torch.where(within, torch.lerp(mean, value, MEMORY), mean)
            mean.copy_(torch.where(mean.isnan(), value, moved))
