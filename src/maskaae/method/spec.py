"""What a model is: all that is needed to build it again, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from maskaae.method.presets import Hyperparameters, TrainingPlan


class DataDescription(Protocol):
    """What a specification asks of a data set's description."""

    @property
    def kind(self) -> str:
        """``images`` or ``vectors``."""

    @property
    def shape(self) -> Sequence[int]:
        """Shape of one example, (H, W, C) or (D,)."""


@dataclass(frozen=True)
class ModelSpec:
    """All that is needed to build a model again."""

    model: str  # name in the catalogue
    m: int  # capacity: the assumed latent dimension
    seeds: tuple[int, ...]  # one model is built for each
    kind: str  # "images", in [0, 1], whose decoder ends in a sigmoid, or "vectors", unbounded
    shape: tuple[int, ...]  # of one example, (H, W, C) or (D,)
    hidden: tuple[int, ...]  # widths of the encoder and, reversed, of the decoder; read by "mlp" networks
    critic_hidden: tuple[int, ...]
    hyperparameters: Hyperparameters
    reconstruction_unit: float = 1.0  # see `maskaae.method.losses.reconstruction_unit`
    network: str = "mlp"  # or "convolutional": encoder and decoder; the critic is always an MLP
    # Read by convolutional networks: channels after each layer of the encoder and, reversed, of the decoder;
    # what follows each convolution, "batch", "group" or "none"; a new batch's share in running statistics.
    channels: tuple[int, ...] = ()
    normalisation: str = "none"
    batch_momentum: float = 0.1
    steps: int = 0  # length of the run, or the longest; read by models that train in stages
    # Steps after which nested training may be asked whether its search has settled; None: it takes all steps.
    shortest_search: int | None = None
    # Dimensions that the mask may keep, the first ones; None: all m. Set only while a model is trained with
    # room beyond its capacity.
    most_active: int | None = None

    @classmethod
    def for_data(
        cls,
        info: DataDescription,
        network: Mapping[str, Any],
        *,
        model: str,
        m: int,
        seeds: Sequence[int],
        hyperparameters: Hyperparameters,
    ) -> ModelSpec:
        """Specify a model of a data set, with networks as a configuration describes them."""
        return cls(
            model=model,
            m=m,
            seeds=tuple(seeds),
            kind=info.kind,
            shape=tuple(info.shape),
            network=network["kind"],
            hidden=tuple(network["hidden"]),
            channels=tuple(network["channels"]),
            normalisation=network["normalisation"],
            batch_momentum=network["batch_momentum"],
            critic_hidden=tuple(network["critic_hidden"]),
            hyperparameters=hyperparameters,
        )

    def planned(self, plan: TrainingPlan) -> ModelSpec:
        """With the length that a plan gives the run."""
        first = plan.shortest_search if plan.length == "settled" else None
        return replace(self, steps=plan.steps, shortest_search=first)

    @property
    def capacity(self) -> int:
        """Dimensions of the model that is stored."""
        return self.m if self.most_active is None else self.most_active

    @property
    def data_dimension(self) -> int:
        """``D``: values in one example."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def reconstruction(self) -> str:
        """Reconstruction loss in use, ``bce`` or ``mse``: the switch, with ``auto`` resolved by the kind."""
        choice = self.hyperparameters.fidelity.reconstruction
        if choice == "auto":
            return "bce" if self.kind == "images" else "mse"
        return choice

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as stored beside the weights."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSpec:
        """Rebuild from :meth:`to_dict`, also after a trip through JSON, which makes lists of tuples."""
        tuples = {key: tuple(value) for key, value in values.items() if isinstance(value, list | tuple)}
        hyperparameters = Hyperparameters.from_dict(values["hyperparameters"])
        return cls(**{**values, **tuples, "hyperparameters": hyperparameters})
