"""Every constant of the method, and the presets that name whole sets of them.

``PAPER`` holds the released constants; where the script and the text differ it follows the script, and
``Fidelity`` has the switch. ``ROBUST`` is ours.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Fidelity:
    """Which side to take where the paper's text and the released script differ, or say nothing.

    Attributes
    ----------
    mask_training : {"soft", "nested"}
        The mask scales codes and follows the gradient of eq 17 [code]; or it opens and closes dimensions,
        and follows eq 17 measured at every number of them, see ``maskaae.method.nested`` [our choice].
    reconstruction : {"auto", "bce", "mse"}
        Pixel-mean cross-entropy [code] or mean squared error [text]. ``auto``: cross-entropy on images,
        squared error on vectors, which are not confined to [0, 1].
    reconstruction_scale : {"raw", "relative"}
        Reconstruction term of eq 17 as it is [code], or as a share of the loss of always decoding the mean
        example [our choice]: its weight then means the same on every data set.
    wasserstein_term : {"one_plus_squared", "squared"}
        ``(1 + W)^2`` [code] or ``W^2`` [text] in eq 17.
    ramp : {"code", "continuous"}
        ``R(m)`` with the script's jump at m = 20 [code], or without it [our choice]. Ignored when
        ``ramp_doubling_steps`` is set.
    decay : {"loss", "learning_rate", "none"}
        At step 5R the script divides two *losses* by 5, which RMSProp cancels [code]; ``learning_rate``
        divides the learning rates instead, as was probably meant [inferred].
    mask_at_inference : {"binary", "soft"}
        Generate through the thresholded mask [text] or through ``mu`` itself [code].
    optimiser : {"tf1_rmsprop", "torch_rmsprop", "adam"}
        TensorFlow 1's RMSProp [code], torch's, or Adam.
    """

    mask_training: Literal["soft", "nested"] = "soft"
    reconstruction: Literal["auto", "bce", "mse"] = "auto"
    reconstruction_scale: Literal["raw", "relative"] = "raw"
    wasserstein_term: Literal["one_plus_squared", "squared"] = "one_plus_squared"
    ramp: Literal["code", "continuous"] = "code"
    decay: Literal["loss", "learning_rate", "none"] = "loss"
    mask_at_inference: Literal["binary", "soft"] = "binary"
    optimiser: Literal["tf1_rmsprop", "torch_rmsprop", "adam"] = "tf1_rmsprop"


@dataclass(frozen=True)
class VariationalConstants:
    """Constants of the variational auto-encoders; the defaults are published ones.

    Attributes
    ----------
    rate : float
        Learning rate of the networks (Adam): 1e-4 in the code of Dai and Wipf (2019), who halve it twice.
    variance_rate : float
        Learning rate of a learned decoder variance's logarithm: in their code that of the networks.
    variance : float
        ``gamma`` of ``vae_fixed``: one in Dai and Wipf (2019), for images in [0, 1] of 28 x 28 and more.
    flow_steps, flow_hidden : int
        Steps of ``vae_flow``'s flow, and hidden units of each: the smallest of Kingma et al. (2016, table 1).
    second_hidden : tuple of int
        Hidden widths of ``two_stage_vae``'s second stage, those of Dai and Wipf's code.
    second_share : float
        Share of the run's steps that goes to the second stage: 800 of 1200 epochs in Dai and Wipf's code.
    """

    rate: float = 1e-4
    variance_rate: float = 1e-4
    variance: float = 1.0
    flow_steps: int = 2
    flow_hidden: int = 320
    second_hidden: tuple[int, ...] = (1024, 1024, 1024)
    second_share: float = 2 / 3


@dataclass(frozen=True)
class DeterministicConstants:
    """Constants of WAE-MMD, WAE-GAN and RAE; the defaults are published ones, for MNIST.

    Attributes
    ----------
    cost_weight : float
        Factor on the squared error of WAE-MMD and WAE-GAN, summed over dimensions: 0.05 in the code of
        Tolstikhin et al. (2018), for data in [0, 1].
    penalty_weight : float
        Their ``lambda``: 10 in that code, on MNIST and CelebA.
    wae_rate, discriminator_rate : float
        Learning rates of their networks and of WAE-GAN's discriminator (Adam): 1e-3 and 5e-4 there on MNIST.
    code_weight, decoder_weight : float
        RAE's ``beta`` on a code's mean square and ``lambda`` on the sum of the decoder's squared weights:
        1e-4 and 1e-7 in the code of Ghosh et al. (2020), on MNIST and CelebA.
    rae_rate : float
        Learning rate of RAE's networks (Adam): 5e-4 there.
    mixture_examples : int
        Training examples, at most, whose codes RAE's mixture is fitted to before each checkpoint; there all.
    """

    cost_weight: float = 0.05
    penalty_weight: float = 10.0
    wae_rate: float = 1e-3
    discriminator_rate: float = 5e-4
    code_weight: float = 1e-4
    decoder_weight: float = 1e-7
    rae_rate: float = 5e-4
    mixture_examples: int = 50_000


REACH_FACTOR = 1.5
REACH_MARGIN = 2.0


def search_reach(count: Any, factor: Any = REACH_FACTOR) -> Any:
    """How many dimensions the search looks at: half as many again as are open, and two [our choice].

    Looking no further keeps a large capacity from being harder than a small one; the margin lets the count
    grow again.

    Parameters
    ----------
    count : float, Tensor or Series of floats
        Open dimensions.
    factor : float or Tensor
        Towards its end the search looks less far: at this many times as many, and two.

    Returns
    -------
    Any
        Of the kind that was given: the reach, rounded up. It may be above the capacity.
    """
    return -(-(factor * count + REACH_MARGIN) // 1.0)


class SearchWindow(NamedTuple):
    """Which codes a part of the search of ``nested`` training looks at.

    Attributes
    ----------
    start : float
        Share of the search from which the window holds.
    shortest, longest : float
        Times the open dimensions: codes are cut above the one, and (with two more) at most at the other.
    """

    start: float
    shortest: float
    longest: float


def search_windows(rows: Sequence[Sequence[float]]) -> tuple[SearchWindow, ...]:
    """Read windows, given as rows of three numbers.

    Raises
    ------
    ValueError
        If they do not follow each other from 0 on, or one of them is empty or looks further than the search
        has room for.
    """
    windows = tuple(SearchWindow(*map(float, row)) for row in rows)
    starts = [window.start for window in windows]
    if (
        not starts
        or starts[0] != 0.0
        or any(b <= a for a, b in itertools.pairwise(starts))
        or starts[-1] >= 1
    ):
        raise ValueError(
            f"search_windows: they start at {starts}; the first starts at 0, each other later, below 1"
        )
    for window in windows:
        if not 0 <= window.shortest < 1 <= window.longest <= REACH_FACTOR:
            raise ValueError(
                f"search_windows: {list(window)} cuts codes between {window.shortest:g} and "
                f"{window.longest:g} times the open dimensions; "
                f"give a number below 1, and one from 1 to {REACH_FACTOR:g}"
            )
    return windows


@dataclass(frozen=True)
class Hyperparameters:
    """Constants of losses, mask and optimisers; the defaults are the released script's [code].

    Attributes
    ----------
    mask_start : tuple of two floats
        ``M`` starts uniform between them.
    mask_ceiling : float or None
        ``M`` is kept at or below it, so that a dimension can be closed again at any time; None: no ceiling.
        Read by ``nested`` training.
    mask_delay : int
        Steps before the first mask update; ``nested`` training has none.
    search_share : float
        Share of the run in which ``nested`` training learns the mask, before the model that it leaves
        trains on by itself.
    search_room : bool
        Whether the search of ``nested`` training has dimensions beyond the capacity, as many as it would look
        at from there. The mask keeps none of them, and they are cut out of the model that is stored.
    full_share : float
        Share of the codes that ``nested`` training does not cut off.
    search_windows : tuple of SearchWindow
        Where ``nested`` training cuts codes off, from which part of the search on.
    search_annealing : float
        Share of the search, at its end, over which learning rates of auto-encoder, critic and generator fall.
    search_floor : float
        Share of their learning rates that they keep at the end of the search.
    settling_factor : float
        Times ``reconstruction_weight`` the reconstruction weighs where the search ends and settles the count.
    ramp_doubling_steps : int or None
        Steps after which ``c(t)`` doubles; None: ``4 R(m)``.
    activity_threshold : float
        A dimension is active when ``mu`` reaches it.
    reconstruction_weight : float
        ``l1`` of eq 17.
    wasserstein_weight, regulariser_weight : float
        Factors on the other two terms of eq 17, one in the paper; zero leaves a term out.
    variance_weight, variance_sharpness : float
        ``l_var`` and ``a`` of eq 14.
    penalty_weight : float
        Weight of the gradient penalty in eq 16.
    critic_steps : int
        Critic updates a training step.
    autoencoder_rate, critic_rate, generator_rate, mask_rate : float
        Learning rates of the four optimisers.
    annealing : float
        Share of the run (with ``nested`` training, of what follows its search), at its end, over which
        learning rates fall linearly to zero.
    fidelity : Fidelity
        Switches between the paper's text and the released script.
    vae : VariationalConstants
        Constants of the variational auto-encoders, which read only ``annealing`` beside them.
    deterministic : DeterministicConstants
        Constants of WAE-MMD, WAE-GAN and RAE, which read only ``annealing`` beside them.
    """

    mask_start: tuple[float, float] = (0.0, 5.0)
    mask_ceiling: float | None = None
    mask_delay: int = 0
    search_share: float = 0.5
    search_room: bool = True
    full_share: float = 0.3
    search_windows: tuple[SearchWindow, ...] = (
        SearchWindow(start=0.0, shortest=0.0, longest=1.5),
        SearchWindow(start=0.5, shortest=0.75, longest=1.5),
        SearchWindow(start=0.75, shortest=0.9, longest=1.15),
    )
    search_annealing: float = 0.25
    search_floor: float = 0.2
    settling_factor: float = 1.0
    ramp_doubling_steps: int | None = None
    activity_threshold: float = 0.1
    reconstruction_weight: float = 1000.0
    wasserstein_weight: float = 1.0
    regulariser_weight: float = 1.0
    variance_weight: float = 100.0
    variance_sharpness: float = 10.0
    penalty_weight: float = 10.0
    critic_steps: int = 5
    autoencoder_rate: float = 5e-4
    critic_rate: float = 1e-4
    generator_rate: float = 1e-4
    mask_rate: float = 5e-4
    annealing: float = 0.0
    fidelity: Fidelity = field(default_factory=Fidelity)
    vae: VariationalConstants = field(default_factory=VariationalConstants)
    deterministic: DeterministicConstants = field(default_factory=DeterministicConstants)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as stored beside a model."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Hyperparameters:
        """Rebuild from :meth:`to_dict`, also after a trip through JSON."""
        return PAPER.override(values)

    def override(self, values: Mapping[str, Any]) -> Hyperparameters:
        """Return a copy with some values replaced; a group of them may be given in part.

        Raises
        ------
        KeyError
            If a name is not one of ours.
        ValueError
            If ``mask_start`` is no interval, or ``search_windows`` no windows.
        """
        known = {f.name for f in dataclasses.fields(self)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise KeyError(f"unknown hyper-parameter {unknown[0]!r}; known: {', '.join(sorted(known))}")
        changes = dict(values)
        for group in {"fidelity", "deterministic"} & set(changes):
            changes[group] = dataclasses.replace(getattr(self, group), **changes[group])
        if "mask_start" in changes:
            low, high = changes["mask_start"]
            if not low <= high:
                raise ValueError(f"mask_start: [{low}, {high}] is no interval; give low <= high")
            changes["mask_start"] = (float(low), float(high))
        if "search_windows" in changes:
            changes["search_windows"] = search_windows(changes["search_windows"])
        if "vae" in changes:
            given = dict(changes["vae"])
            if "second_hidden" in given:
                given["second_hidden"] = tuple(given["second_hidden"])  # a list, where it comes from YAML
            changes["vae"] = dataclasses.replace(self.vae, **given)
        return dataclasses.replace(self, **changes)


PAPER = Hyperparameters()
ROBUST = Hyperparameters(
    mask_start=(2.0, 3.0),
    mask_ceiling=3.0,
    settling_factor=2.0,
    activity_threshold=0.5,
    reconstruction_weight=40.0,
    regulariser_weight=0.0,
    variance_weight=0.0,
    critic_steps=3,
    autoencoder_rate=3e-3,
    critic_rate=1e-3,
    generator_rate=5e-4,
    mask_rate=5e-3,
    annealing=0.5,
    fidelity=Fidelity(
        mask_training="nested", decay="none", reconstruction_scale="relative", optimiser="adam"
    ),
    vae=VariationalConstants(
        rate=1e-3, variance_rate=2e-2, flow_hidden=64, second_hidden=(128, 128, 128), second_share=0.5
    ),
    deterministic=DeterministicConstants(mixture_examples=10_000),
)
PRESETS: Mapping[str, Hyperparameters] = {"paper": PAPER, "robust": ROBUST}
