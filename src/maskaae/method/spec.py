"""What a model is: all that is needed to build it again, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from maskaae.method.presets import Hyperparameters, TrainingPlan

AUTO = "auto"
"""Kind of networks that stands for the one that suits the data, see `suited`."""

LEAST_SIDE = 16
"""Pixels of the shorter side from which images get convolutional networks by themselves [our choice]."""
LEAST_MAP = 4
"""Pixels of the shorter side that layers chosen by themselves do not halve any more [our choice]."""
MOST_LAYERS = 4
"""Layers that are chosen by themselves, at most: as many as WAE has for images of 64 x 64."""
FIRST_CHANNELS = {"cpu": 8, "gpu": 64}
"""Channels after the first of such layers; each further one has twice as many [our choice]."""


def suited(network: Mapping[str, Any], kind: str, shape: Sequence[int], *, on_gpu: bool) -> dict[str, Any]:
    """Replace the kind `auto` of a section ``network`` by the one that suits data of some kind and shape.

    An MLP of a laptop's size sees colour photographs as a blur, so images get convolutional networks, if
    they are large enough for any.
    """
    if network["kind"] != AUTO:
        return dict(network)
    channels = suited_channels(shape, on_gpu=on_gpu) if kind == "images" else ()
    if not channels:
        return {**network, "kind": "mlp"}
    return {**network, "kind": "convolutional", "channels": channels}


def suited_channels(shape: Sequence[int], *, on_gpu: bool) -> tuple[int, ...]:
    """Channels after each layer for images (H, W, C) [our choice]; none where an MLP suits them better.

    Every layer halves the images, as long as both sides are even and no side falls below `LEAST_MAP`.
    """
    height, width = shape[:2]
    layers = 0
    while layers < MOST_LAYERS and min(height, width) >= 2 * LEAST_MAP and not (height % 2 or width % 2):
        height, width, layers = height // 2, width // 2, layers + 1
    if min(shape[:2]) < LEAST_SIDE or layers < 2:
        return ()
    return tuple(FIRST_CHANNELS["gpu" if on_gpu else "cpu"] * 2**layer for layer in range(layers))


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
        on_gpu: bool = False,
    ) -> ModelSpec:
        """Specify a model of a data set, with networks as a configuration describes them.

        Those that are to suit the data (`kind: auto`) may be larger on a GPU.
        """
        network = suited(network, info.kind, info.shape, on_gpu=on_gpu)
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
