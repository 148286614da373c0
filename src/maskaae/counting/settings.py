"""What a count is made with."""

from __future__ import annotations

from dataclasses import dataclass, field

from maskaae.method.presets import PRESETS, Preset

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
    steps : int
        Training steps of one round, at most.
    shortest_search : int or None
        The search for the count is first read after so many steps, or at a quarter of its longest length if
        that is less. It ends when a search twice as long counts no more, but for one, and trials with fewer
        dimensions are no better. With None it is as long as it may be, and nothing tells whether it has
        settled. The preset `paper` has no such search, and takes all steps.
    refinement_share : float
        Share of the training that follows the search, with the mask settled.
    batch_size : int
        Examples a batch.
    hidden, critic_hidden : tuple of int
        Hidden widths of the encoder (of the decoder in reverse) and of the critic.
    widest : int
        Nets twice as wide are compared as long as no layer of theirs is wider; below twice the widest layer
        of `hidden`, none is.
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
    steps: int = 16_000
    shortest_search: int | None = 1080
    refinement_share: float = 0.1
    batch_size: int = 64
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

    def first_capacity(self, dimension: int) -> int:
        """Capacity of the first round on data of so many dimensions; ValueError if the one given is wrong."""
        if self.capacity is None:
            return min(dimension, LARGEST_FIRST_CAPACITY)
        if not 1 <= self.capacity <= dimension:
            raise ValueError(
                f"capacity = {self.capacity}: must be from 1 to {dimension}, the numbers in one example"
            )
        return self.capacity
