"""What a count is made with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from maskaae.counting.answer import Trial
from maskaae.method.presets import PRESETS, Preset
from maskaae.method.spec import AUTO, suited_channels

LONGEST_SEARCH = 14_400
"""Steps of search after which a round ends at the latest, where no length is given (our choice)."""
CONVOLUTIONAL_SHARE = 0.25
"""Convolutional networks take that share of all lengths that are not given: a step of theirs takes a CPU ten
times as long as an MLP's, and teaches them more (our choice)."""
NETWORKS = (AUTO, "mlp", "convolutional")
NORMALISATION = "batch"
"""What follows each convolution, as in WAE and TwoStageVAE (our choice)."""
LARGEST_FIRST_CAPACITY = 32
"""Capacity that is tried first where none is given, if the data have as many dimensions (our choice)."""


@dataclass(frozen=True)
class CountSettings:
    """How a count is made; nets and batches are those that `docs/results/claims` was judged with.

    Attributes
    ----------
    capacity : int or None
        Assumed latent dimension m of the first round; None: 32, or D if that is less.
    seeds : tuple of int
        Each trains a model of its own, and has a vote.
    preset : {"robust", "paper"}
        Constants of the method.
    steps : int or None
        Training steps of one round, at most. None: as many as end a search of 14,400 steps, or of 3,600 with
        convolutional nets.
    shortest_search : int or None
        The search for the count is first read after so many steps (a quarter of that with convolutional
        nets), or at a quarter of its longest length if that is less. It ends when a search twice as long
        counts no more, but for one, and trials with fewer dimensions are no better. With None it is as long
        as it may be, and nothing tells whether it has settled. The preset `paper` has no such search, and
        takes all steps.
    refinement_share : float
        Share of the training that follows the search, with the mask settled.
    batch_size : int
        Examples a batch.
    network : {"auto", "mlp", "convolutional"}
        Kind of encoder and decoder: `auto` gives images of 16 x 16 or more convolutional ones, with channels
        that suit their size and the device; the critic is an MLP.
    hidden, critic_hidden : tuple of int
        Hidden widths of an MLP as encoder (of the decoder in reverse) and of the critic.
    widest : int
        Nets twice as wide are compared as long as no layer of theirs has more units, or channels; below twice
        those of the widest layer, none is.
    validation_share : float
        Share of the rows, drawn by chance, that training never sees.
    jobs : int
        Processes, 1 or more; on a CPU two halves of the seeds can train side by side. No number depends on
        it.
    device : str
        Where to train.
    """

    capacity: int | None = None
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    preset: Preset = "robust"
    steps: int | None = None
    shortest_search: int | None = 1080
    refinement_share: float = 0.1
    batch_size: int = 64
    network: Literal["auto", "mlp", "convolutional"] = "auto"
    hidden: tuple[int, ...] = (128, 128)
    critic_hidden: tuple[int, ...] = (128, 128)
    widest: int = 0
    validation_share: float = 0.1
    jobs: int = 1
    device: str = field(default="cpu", compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.preset not in PRESETS:
            raise ValueError(f"preset = {self.preset!r} is unknown; give {' or '.join(map(repr, PRESETS))}")
        if self.network not in NETWORKS:
            raise ValueError(
                f"network = {self.network!r} is unknown; give {', '.join(map(repr, NETWORKS[:-1]))} or "
                f"{NETWORKS[-1]!r}"
            )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds = {self.seeds}: give one or more, each once")
        for name in ("hidden", "critic_hidden"):
            if not getattr(self, name) or min(getattr(self, name)) < 1:
                raise ValueError(
                    f"{name} = {getattr(self, name)}: give one width or more, each at least 1, as (128, 128)"
                )
        if not 0 < self.refinement_share < 1:
            raise ValueError(f"refinement_share = {self.refinement_share}: must be between 0 and 1")
        if not 0 <= self.validation_share < 1:
            raise ValueError(f"validation_share = {self.validation_share}: must be from 0 to below 1")
        least = {"steps": 2, "shortest_search": 1, "batch_size": 2, "jobs": 1}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise ValueError(f"{name} = {value}: must be at least {bound}")

    def longest(self, trial: Trial) -> int:
        """Steps that the training of a trial takes at most."""
        if self.steps is not None:
            return self.steps
        search = LONGEST_SEARCH * (CONVOLUTIONAL_SHARE if trial.channels else 1)
        return round(search / (1 - self.refinement_share))

    def first_reading(self, trial: Trial) -> int:
        """Steps of search after which the counts of a trial are first read; longer searches may follow."""
        longest = self.longest(trial)
        if self.shortest_search is None:
            return longest
        shortest = int(self.shortest_search * (CONVOLUTIONAL_SHARE if trial.channels else 1))
        return max(1, min(shortest, int(longest * (1 - self.refinement_share) / 4)))

    def first_trial(self, kind: str, shape: Sequence[int]) -> Trial:
        """What is trained first on data of a kind and shape; ValueError if capacity or nets do not fit."""
        channels = suited_channels(shape, on_gpu=self.device != "cpu") if kind == "images" else ()
        if self.network == "convolutional" and not channels:
            what = f"images of {shape[0]} x {shape[1]}" if kind == "images" else kind
            raise ValueError(
                f"network = 'convolutional': {what} cannot be halved often enough; give 'auto' or 'mlp'"
            )
        if self.network == "mlp":
            channels = ()
        return Trial(self.first_capacity(math.prod(shape)), self.hidden, self.critic_hidden, channels)

    def first_capacity(self, dimension: int) -> int:
        """Capacity of the first round on data of so many dimensions; ValueError if the one given is wrong."""
        if self.capacity is None:
            return min(dimension, LARGEST_FIRST_CAPACITY)
        if not 1 <= self.capacity <= dimension:
            raise ValueError(
                f"capacity = {self.capacity}: must be from 1 to {dimension}, the numbers in one example"
            )
        return self.capacity
