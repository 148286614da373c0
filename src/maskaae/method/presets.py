"""Every constant of the method, the presets that name whole sets of them, and the length of a run.

``PAPER`` holds the released constants; where the script and the text differ it follows the script, and
``Fidelity`` has the switch. ``ROBUST`` is ours. Each constant that a configuration can change is described
here and nowhere else: type and bounds in its annotation, meaning and source in the text below it.
``maskaae.config`` checks configurations against these descriptions, and makes the JSON schema and the table
of keys from them.

Sources: [code] the released script, [text] the paper, [inferred], [our choice], or the code of a rival.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field, StrictBool

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
ProperShare = Annotated[Number, Field(ge=0, lt=1)]
ProperFraction = Annotated[Number, Field(gt=0, lt=1)]
Integer = Annotated[int, Field(strict=True)]
Count = Annotated[Integer, Field(ge=1)]


class Described:
    """What pydantic is told of dataclasses whose fields are described below them; they check nothing."""

    __pydantic_config__ = ConfigDict(extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True)
class Fidelity(Described):
    """Which side to take where the paper's text and the released script differ, or say nothing."""

    mask_training: Literal["soft", "nested"] = "soft"
    """`soft`: the mask scales codes and follows the gradient of eq 17 [code]; `nested`: it opens and closes
    dimensions by eq 17 measured at every number of them (docs/robust.md) [our choice]"""
    reconstruction: Literal["auto", "bce", "mse"] = "auto"
    """pixel-mean cross-entropy `bce` [code] or squared error `mse` [text]; `auto`: `bce` on images, `mse` on
    vectors, which are not confined to [0, 1]"""
    reconstruction_scale: Literal["raw", "relative"] = "raw"
    """reconstruction term of eq 17 `raw` [code], or `relative` to the loss of decoding the mean example, so
    that its weight means the same on every data set [our choice]"""
    wasserstein_term: Literal["one_plus_squared", "squared"] = "one_plus_squared"
    """`one_plus_squared` (1 + W)^2 [code] or `squared` W^2 [text] in eq 17"""
    ramp: Literal["code", "continuous"] = "code"
    """`code`: R(m) jumps at m = 20 [code]; `continuous`: it does not [our choice]; `ramp_doubling_steps`
    replaces both"""
    decay: Literal["loss", "learning_rate", "none"] = "loss"
    """at step 5R, `loss` divides two losses by 5, which RMSProp cancels [code]; `learning_rate` divides the
    learning rates, as was probably meant [inferred]"""
    mask_at_inference: Literal["binary", "soft"] = "binary"
    """codes are generated through the `binary` thresholded mask [text] or the `soft` mask mu itself [code]"""
    optimiser: Literal["tf1_rmsprop", "torch_rmsprop", "adam"] = "tf1_rmsprop"
    """TensorFlow 1's `tf1_rmsprop` [code], `torch_rmsprop` or `adam`"""


@dataclass(frozen=True)
class VariationalConstants(Described):
    """Constants of the variational auto-encoders; the defaults are published ones."""

    rate: Positive = 1e-4
    """learning rate of the networks (Adam) [code of Dai and Wipf, 2019, who halve it twice]"""
    variance_rate: Positive = 1e-4
    """learning rate of the logarithm of a learned decoder variance [code of Dai and Wipf, 2019]"""
    variance: Positive = 1.0
    """decoder variance of `vae_fixed`, in the data's units; 1 for images in [0, 1] [Dai and Wipf, 2019]"""
    flow_steps: Count = 2
    """steps of the flow of `vae_flow` [smallest of Kingma et al., 2016, table 1]"""
    flow_hidden: Count = 320
    """hidden units of each step of the flow [smallest of Kingma et al., 2016, table 1]"""
    second_hidden: Annotated[tuple[Count, ...], Field(min_length=1)] = (1024, 1024, 1024)
    """hidden layers of the second stage of `two_stage_vae` [code of Dai and Wipf, 2019]"""
    second_share: ProperFraction = 2 / 3
    """share of the run's steps that trains the second stage [code of Dai and Wipf, 2019: 800 of 1200]"""


@dataclass(frozen=True)
class DeterministicConstants(Described):
    """Constants of WAE-MMD, WAE-GAN and RAE; the defaults are published ones, for MNIST."""

    cost_weight: Positive = 0.05
    """factor on the summed squared error of `wae_mmd` and `wae_gan`, for data in [0, 1]
    [code of Tolstikhin et al., 2018]"""
    penalty_weight: NonNegative = 10.0
    """lambda of `wae_mmd` and `wae_gan` [code of Tolstikhin et al., 2018, on MNIST and CelebA]"""
    wae_rate: Positive = 1e-3
    """learning rate of their encoder and decoder (Adam) [code of Tolstikhin et al., 2018, on MNIST]"""
    discriminator_rate: Positive = 5e-4
    """learning rate of the discriminator of `wae_gan` (Adam) [code of Tolstikhin et al., 2018, on MNIST]"""
    code_weight: NonNegative = 1e-4
    """beta of `rae`, on the codes' mean square [code of Ghosh et al., 2020, on MNIST and CelebA]"""
    decoder_weight: NonNegative = 1e-7
    """lambda of `rae`, on the sum of the decoder's squared weights [code of Ghosh et al., 2020, on MNIST and
    CelebA]"""
    rae_rate: Positive = 5e-4
    """learning rate of `rae` (Adam) [code of Ghosh et al., 2020]"""


REACH_FACTOR = 1.5
REACH_MARGIN = 2.0


def search_reach(count: Any, factor: Any = REACH_FACTOR) -> Any:
    """Return how many dimensions the search looks at, ``ceil(factor * count + 2)`` [our choice].

    Looking no further keeps a large capacity from being harder than a small one; the margin of 2 lets the
    count grow again.

    Parameters
    ----------
    count : float, Tensor or Series of floats
        Open dimensions.
    factor : float or Tensor
        The search lowers it towards its end.

    Returns
    -------
    Any
        Of the type of ``count``. It may be above the capacity.
    """
    return -(-(factor * count + REACH_MARGIN) // 1.0)


class SearchWindow(NamedTuple):
    """Where a part of the search of ``nested`` training cuts codes off.

    Attributes
    ----------
    start : float
        Share of the search from which the window holds.
    shortest, longest : float
        Codes are cut after more than ``shortest * count`` and at most ``longest * count + 2`` dimensions.
    """

    start: NonNegative
    shortest: NonNegative
    longest: NonNegative


def read_windows(rows: Sequence[Sequence[float]]) -> tuple[SearchWindow, ...]:
    """Read windows, given as rows of three numbers.

    Raises
    ------
    ValueError
        If they do not follow each other from 0 on, or one of them is empty or looks further than the search
        has room for.
    """
    windows = tuple(SearchWindow(*map(float, row)) for row in rows)
    starts = [window.start for window in windows]
    later = all(a < b for a, b in itertools.pairwise(starts))
    if not (starts and starts[0] == 0.0 and later and starts[-1] < 1):
        raise ValueError(f"they start at {starts}; the first starts at 0, each other later, below 1")
    for window in windows:
        if not 0 <= window.shortest < min(1, window.longest) <= window.longest <= REACH_FACTOR:
            raise ValueError(
                f"{list(window)} cuts codes between {window.shortest:g} and {window.longest:g} times the "
                f"open dimensions; give a number below 1, and a larger one up to {REACH_FACTOR:g}"
            )
    return windows


def read_interval(ends: Sequence[float]) -> tuple[float, float]:
    """Read two numbers as an interval, or raise a ValueError."""
    low, high = map(float, ends)
    if not low <= high:
        raise ValueError(f"[{low:g}, {high:g}] is no interval; give low <= high")
    return low, high


@dataclass(frozen=True)
class Hyperparameters(Described):
    """Constants of losses, mask and optimisers; the defaults are the released script's [code]."""

    mask_start: Annotated[tuple[NonNegative, NonNegative], AfterValidator(read_interval)] = (0.0, 5.0)
    """M starts uniform between these two [code]"""
    mask_ceiling: Positive | None = None
    """`nested` mask training keeps M at or below it, so that a dimension can be closed again at any time;
    null: no ceiling [our choice]"""
    mask_delay: Annotated[Integer, Field(ge=0)] = 0
    """steps before the first mask update [code]; `nested` mask training has none"""
    search_share: ProperFraction = 0.5
    """share of the run in which `nested` mask training learns the mask; then the model that it leaves trains
    on by itself [our choice]"""
    search_room: StrictBool = True
    """whether `nested` mask training searches with dimensions beyond the capacity, as many as it would look
    at from there; it keeps none of them, and they are cut out of the stored model [our choice]"""
    full_share: Annotated[Number, Field(ge=0, lt=1)] = 0.3
    """share of the codes that `nested` mask training leaves as long as its search looks at a time; the others
    are cut off at random below that [our choice]"""
    search_windows: Annotated[tuple[SearchWindow, ...], Field(min_length=1), AfterValidator(read_windows)] = (
        SearchWindow(start=0.0, shortest=0.0, longest=1.5),
        SearchWindow(start=0.5, shortest=0.75, longest=1.5),
        SearchWindow(start=0.75, shortest=0.9, longest=1.15),
    )
    """where `nested` mask training cuts codes off: rows of a share of the search from which the row holds,
    and the shortest and the longest cut as multiples of the open dimensions, two more at the longest
    [our choice]"""
    search_annealing: Fraction = 0.25
    """share of the search of `nested` mask training, at its end, over which learning rates of auto-encoder,
    critic and generator fall [our choice]"""
    search_floor: Fraction = 0.2
    """share of their learning rates that auto-encoder, critic and generator keep at the end of the search of
    `nested` mask training [our choice]"""
    settling_factor: Positive = 1.0
    """times `reconstruction_weight` the reconstruction weighs where the search of `nested` mask training ends
    and the count is settled [our choice]"""
    ramp_doubling_steps: Count | None = None
    """steps after which the regulariser's weight c(t) doubles; null: 4 R(m) [code]"""
    activity_threshold: ProperFraction = 0.1
    """a dimension is active from this mask value mu on [code]"""
    reconstruction_weight: NonNegative = 1000.0
    """l1 of eq 17 [code]"""
    wasserstein_weight: NonNegative = 1.0
    """factor on the Wasserstein term of eq 17 [code]; 0 leaves it out"""
    regulariser_weight: NonNegative = 1.0
    """factor on the regulariser of eq 17, beside its ramp [code]; 0 leaves it out"""
    variance_weight: NonNegative = 100.0
    """l_var of eq 14 [code]"""
    variance_sharpness: NonNegative = 10.0
    """a of eq 14 [code]"""
    penalty_weight: NonNegative = 10.0
    """weight of the gradient penalty in eq 16 [code]"""
    critic_steps: Count = 5
    """critic updates a training step [code]"""
    autoencoder_rate: Positive = 5e-4
    """learning rate of encoder and decoder on eq 14 [code]"""
    critic_rate: Positive = 1e-4
    """learning rate of the critic [code]"""
    generator_rate: Positive = 1e-4
    """learning rate of the encoder on eq 15 [code]"""
    mask_rate: Positive = 5e-4
    """learning rate of the mask [code]"""
    annealing: Fraction = 0.0
    """share of the run, at its end (with `nested` mask training, of what follows its search), over which all
    learning rates fall linearly to zero; the released script's do not, 0 [code]; rivals read it too"""
    fidelity: Fidelity = Fidelity()
    vae: VariationalConstants = VariationalConstants()
    deterministic: DeterministicConstants = DeterministicConstants()

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
        _refuse_unknown(self, values)
        changes = dict(values)
        for name, read in (("mask_start", read_interval), ("search_windows", read_windows)):
            if name in changes:
                try:
                    changes[name] = read(changes[name])
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
        for name in {"fidelity", "vae", "deterministic"} & set(changes):
            group = getattr(self, name)
            _refuse_unknown(group, changes[name])
            lists = {key: tuple(value) for key, value in changes[name].items() if isinstance(value, list)}
            changes[name] = dataclasses.replace(group, **{**changes[name], **lists})
        return dataclasses.replace(self, **changes)


def _refuse_unknown(constants: Any, values: Mapping[str, Any]) -> None:
    known = {described.name for described in dataclasses.fields(constants)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise KeyError(f"unknown hyper-parameter {unknown[0]!r}; known: {', '.join(sorted(known))}")


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
)
Preset = Literal["paper", "robust"]
PRESETS: Mapping[Preset, Hyperparameters] = {"paper": PAPER, "robust": ROBUST}


@dataclass(frozen=True)
class TrainingPlan(Described):
    """Length and intervals of a run, in training steps."""

    steps: Count = 500_000
    """training steps [code]"""
    batch_size: Annotated[Integer, Field(ge=2)] = 64
    """examples a batch [code]"""
    log_every: Count = 1000
    """steps between rows of history.csv [our choice]"""
    checkpoint_every: Count = 25_000
    """steps between checkpoints, which are evaluated, and between saves of the resume state [our choice]"""
    on_divergence: Literal["stop", "continue"] = "stop"
    """when a loss, gradient or mask of a seed is not finite: `stop` the run, or `continue` with the other
    seeds and show this one as lost"""
    precision: Literal["tf32", "float32"] = "tf32"
    """matrix products on a GPU: `tf32`, inputs rounded to 10 bits, several times faster, or `float32`; a CPU
    always has `float32` [our choice]"""
    validation_share: ProperShare = 0.1
    """share of the training split that `nested` mask training does not train on: eq 17 is measured there, so
    that what is learned by heart counts for nothing; other training takes all rows [our choice]"""
    validation_seed: Annotated[Integer, Field(ge=0)] = 0
    """which rows these are; all seeds of a run share them [our choice]"""
    length: Literal["fixed", "settled"] = "fixed"
    """`fixed`: a run takes all `steps`; `settled`: the search of `nested` mask training goes on to twice its
    length, then tries fewer dimensions until it is known how many make eq 17 larger, and begins again with
    twice the length while the count grows; `steps` is the longest [our choice]"""
    shortest_search: Count = 1000
    """steps after which a search of `settled` length is asked for its first count [our choice]"""
