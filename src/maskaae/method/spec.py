"""What a model is: all that is needed to build it again, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from maskaae.method.presets import Hyperparameters


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
    """All that is needed to build a model again.

    Attributes
    ----------
    model : str
        Name in the model registry.
    m : int
        Capacity: the assumed latent dimension.
    seeds : tuple of int
        One model is built for each.
    kind : {"images", "vectors"}
        Images lie in [0, 1] and get a sigmoid; vectors are unbounded.
    shape : tuple of int
        Shape of one example, (H, W, C) or (D,).
    hidden : tuple of int
        Hidden widths of encoder and, reversed, of decoder; read by ``mlp`` networks.
    critic_hidden : tuple of int
        Hidden widths of the critic.
    hyperparameters : Hyperparameters
        Constants of losses, mask and optimisers.
    reconstruction_unit : float
        Reconstruction loss that counts as one in eq 17; see ``maskaae.method.reconstruction_unit``.
    network : {"mlp", "convolutional"}
        Kind of encoder and decoder; the critic is always an MLP.
    channels : tuple of int
        Channels after each layer of the encoder and, reversed, of the decoder; read by ``convolutional``
        networks.
    normalisation : {"batch", "group", "none"}
        What follows each convolution.
    batch_momentum : float
        Share of a new batch in the running statistics of batch normalisation.
    steps : int
        Length of the run that trains the model; read by models that train in stages.
    most_active : int or None
        Dimensions that the mask may keep, the first ones; None: all m. Set only while a model is trained with
        room beyond its capacity.
    """

    model: str
    m: int
    seeds: tuple[int, ...]
    kind: str
    shape: tuple[int, ...]
    hidden: tuple[int, ...]
    critic_hidden: tuple[int, ...]
    hyperparameters: Hyperparameters
    reconstruction_unit: float = 1.0
    network: str = "mlp"
    channels: tuple[int, ...] = ()
    normalisation: str = "none"
    batch_momentum: float = 0.1
    steps: int = 0
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
