"""MaskAAE in the style of scikit-learn, for a notebook: fit, transform, inverse_transform, sample."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from maskaae.counting.answer import Caution, Count
from maskaae.counting.count import as_dataset, count_and_keep
from maskaae.counting.settings import CountSettings
from maskaae.data.own.splits import Scaling
from maskaae.evaluation.examples import batches, to_model_input, to_stored_form
from maskaae.handover.export import FORMATS, Format, hand_over
from maskaae.method.presets import Preset
from maskaae.models.base import LatentModel
from maskaae.models.build import load_model, model_bytes, of_one_seed
from maskaae.training.store import write_atomically

Floats = NDArray[np.float64] | NDArray[np.float32]

ROWS_AT_A_TIME = 1000
REFINEMENT_SHARE = 0.28
"""The search, and so the count, is that of the command; the model, which is kept here, trains longer."""
NOT_CONVERGED = {"not_settled", "at_capacity", "collapsed", "not_converged_in_width"}
"""Codes of cautions that are a `ConvergenceWarning`; others are a `UserWarning`."""


class MaskAAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A masked adversarial auto-encoder that finds how many of its dimensions the data need.

    Several seeds are trained together and vote; whatever speaks against the answer is a warning.

    Parameters
    ----------
    capacity : int or None
        Assumed latent dimension m, from 1 to the number of columns: more than the data need. If too little
        is left over, twice as many are tried by themselves. None: 32, or all columns if they are fewer.
    network : {"auto", "mlp", "convolutional"}
        Kind of encoder and decoder. `auto` gives images of 16 x 16 or more convolutional ones, with channels
        that suit their size and the device.
    hidden, critic_hidden : sequence of int
        Hidden widths of an MLP as encoder (of the decoder in reverse) and of the critic.
    steps : int or None
        Training steps, at most, of which the last part trains with the count settled. None: 20,000, or 5,000
        with convolutional nets.
    batch_size : int
        Examples a batch, or all rows if they are fewer.
    preset : {"robust", "paper"}
        Constants of the method: ours, or the released ones.
    scaling : {"standardise", "none"}
        Whether each column of vectors is scaled to mean 0 and variance 1 for training; images never are.
    n_seeds : int
        Models that vote.
    widest : int
        Nets twice as wide are compared, again and again, up to this width; 0: none.
    validation_share : float
        Share of the rows on which training decides, and does not train.
    n_jobs : int or None
        Processes; two are of use on a CPU. None: one. No number depends on it.
    random_state : int, RandomState or None
        Decides weights, batches and noise. The seeds are an integer and those that follow it.
    device : str
        Where to train and compute: `cpu`, `cuda`.

    Attributes
    ----------
    n_active_ : int
        Dimensions that the data need: the vote.
    counts_ : ndarray of int
        What each seed counted.
    settled_ : bool or None
        Whether longer searches and fewer dimensions no longer change any count; None where not looked at.
    witnesses_ : dict of str to float or None
        What estimators that train nothing say; None where they cannot say.
    cautions_ : tuple of Caution
        What speaks against the count, each with a code, a sentence and what to do; `fit` warns of them.
    model_ : LatentModel
        The model of the seed `seed_`, which found the vote with the lowest error on unseen rows.
    record_ : dict
        What made the model: specification, plan, data hash, scaling, versions, and the whole count.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Columns of the data (of images, numbers in one), and their names if X had any.
    """

    def __init__(
        self,
        capacity: int | None = None,
        *,
        network: Literal["auto", "mlp", "convolutional"] = "auto",
        hidden: Sequence[int] = (128, 128),
        critic_hidden: Sequence[int] = (128, 128),
        steps: int | None = None,
        batch_size: int = 64,
        preset: Preset = "robust",
        scaling: Literal["standardise", "none"] = "standardise",
        n_seeds: int = 5,
        widest: int = 0,
        validation_share: float = 0.1,
        n_jobs: int | None = None,
        random_state: int | RandomState | None = 0,
        device: str = "cpu",
    ) -> None:
        self.capacity = capacity
        self.network = network
        self.hidden = hidden
        self.critic_hidden = critic_hidden
        self.steps = steps
        self.batch_size = batch_size
        self.preset = preset
        self.scaling = scaling
        self.n_seeds = n_seeds
        self.widest = widest
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.device = device

    @classmethod
    def load(cls, folder: Path | str, seed: int | None = None, device: str = "cpu") -> Self:
        """Load a trained run.

        Parameters
        ----------
        folder : Path or str
            Folder of the run, with `model.safetensors` and `run.json`; or of `save`.
        seed : int, optional
            Which of the run's seeds; None: the first whose training did not diverge.
        device : str
            Where to compute.

        Raises
        ------
        FileNotFoundError
            If the folder holds no run.
        ValueError
            If the run has no such seed, or lost it.
        """
        folder = Path(folder)
        for name in ("model.safetensors", "run.json"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing; give the folder of a finished run")
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        model = load_model(folder / "model.safetensors", device)
        trained = [candidate for candidate in model.seeds if candidate not in model.lost]
        chosen = trained[0] if seed is None else seed
        if chosen not in model.seeds:
            raise ValueError(f"{folder}: no seed {chosen}; it holds {', '.join(map(str, model.seeds))}")
        if chosen in model.lost:
            raise ValueError(f"{folder}: seed {chosen} was lost: {model.lost[chosen]}; trained: {trained}")
        estimator = cls(**(record.get("estimator") or _parameters_of_run(model, record, chosen)))
        estimator.device = device
        count = record.get("count", {})
        active = model.active.sum(dim=1).tolist()
        estimator.counts_ = np.array(
            count.get("counts") or [active[model.seeds.index(each)] for each in trained]
        )
        estimator.settled_ = count.get("settled")
        estimator.witnesses_ = {each["name"]: each["dimension"] for each in count.get("witnesses", ())}
        estimator.cautions_ = tuple(Caution(**each) for each in count.get("warnings", ()))
        estimator._keep(model, chosen, record, stored_scaling(record.get("scaling")))
        return estimator

    def save(self, folder: Path | str) -> None:
        """Write `model.safetensors` and `run.json`, which `load` reads, into a folder."""
        check_is_fitted(self)
        write_atomically(Path(folder) / "model.safetensors", model_bytes(self.model_))
        content = json.dumps(self.record_, indent=2) + "\n"
        write_atomically(Path(folder) / "run.json", content.encode())

    def export(
        self, folder: Path | str, unseen: NDArray[Any] | None = None, formats: Sequence[Format] = FORMATS
    ) -> None:
        """Write encoder and decoder for other tools, as ONNX and `torch.export`, and a model card.

        The card tells the error on the rows `unseen`. ModuleNotFoundError if ONNX needs the extra `onnx`;
        ValueError if the mask closed every dimension.
        """
        check_is_fitted(self)
        hand_over(
            self.model_,
            self.seed_,
            self.record_,
            Path(folder),
            scaling=self._scaling,
            unseen=None if unseen is None else self._stored(self._checked(unseen, reset=False)),
            formats=formats,
        )

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train on data, and count the dimensions that they need.

        Parameters
        ----------
        X : array-like
            Vectors (N, D) of any number type, or images uint8 (N, H, W, C) with C = 1 or 3.
        y : None
            Not used; scikit-learn's pipelines pass it.

        Raises
        ------
        ValueError
            If X is neither, or holds a value that is not finite, or a parameter does not fit it.
        TypeError
            If a parameter is of a wrong type.

        Warns
        -----
        ConvergenceWarning
            If the count has not settled, or is held down by the capacity.
        UserWarning
            If something else speaks against the count.
        """
        rows = self._checked(X, reset=True)
        settings = self._settings(len(rows))
        if self.scaling not in ("standardise", "none"):
            raise ValueError(f"scaling = {self.scaling!r} is unknown; give 'standardise' or 'none'")
        dataset, scaling = as_dataset(rows, self.scaling)
        count, runs = count_and_keep(dataset, settings)
        seed = count.answer.chosen_seed
        run = next(run for run in runs if seed in run.model.seeds)
        record = {**run.record, "count": count.to_dict(), "estimator": self._plain_parameters()}
        if hasattr(self, "feature_names_in_"):
            record["feature_names"] = self.feature_names_in_.tolist()
        self.counts_ = np.array(count.counts)
        self.settled_ = count.settled
        self.witnesses_ = {witness.name: witness.dimension for witness in count.witnesses}
        self.cautions_ = count.warnings
        self._keep(run.model, seed, record, scaling)
        _warn(count)
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Encode data, in the user's units, to the dimensions that are kept: (N, `n_active_`)."""
        check_is_fitted(self)
        rows = self._checked(X, reset=False)
        model, active = self._encoding_model(), self._active
        parts = (to_model_input(part) for part in batches(self._stored(rows), ROWS_AT_A_TIME, self.device))
        codes = [model.encode(x.to(model.mu.dtype).unsqueeze(0))[0].cpu()[:, active].numpy() for x in parts]
        return np.concatenate(codes).astype(rows.dtype if rows.dtype.kind == "f" else np.float32)

    def inverse_transform(self, codes: ArrayLike) -> NDArray[Any]:
        """Decode codes (N, `n_active_`) to data in the units of the user: (N, D) or (N, H, W, C)."""
        check_is_fitted(self)
        rows = check_array(codes, dtype=np.float32, ensure_min_features=0)
        if rows.shape[1] != self.n_active_:
            raise ValueError(f"codes have shape {rows.shape}; expected (N, {self.n_active_})")
        full = torch.zeros(len(rows), self.model_.m)
        full[:, self._active] = torch.from_numpy(rows)
        parts = torch.split(full.to(self.device), ROWS_AT_A_TIME)
        return self.in_units(np.concatenate([self._decoded(part) for part in parts]))

    def score(self, X: ArrayLike, y: None = None) -> float:
        """Share of the variance of X, scaled as in training, that its reconstruction explains; at most 1."""
        check_is_fitted(self)
        stored = self._stored(self._checked(X, reset=False))
        back = self._stored(self.inverse_transform(self.transform(X)))
        x, again = (np.asarray(each, np.float64).reshape(len(stored), -1) for each in (stored, back))
        variance = np.square(x - x.mean(axis=0)).sum()
        return float(1 - np.square(x - again).sum() / max(variance, np.finfo(np.float64).tiny))

    def sample(self, count: int, seed: int = 0) -> NDArray[Any]:
        """Generate examples in the user's units from standard normal codes."""
        check_is_fitted(self)
        rng = np.random.default_rng([seed, self.seed_])
        return self.inverse_transform(rng.standard_normal((count, self.n_active_), np.float32))

    def in_units(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Bring examples as the model knows them, say of a prepared data set, back to the user's units."""
        return stored if self._scaling is None else self._scaling.invert(stored)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that codes have the type of the data."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.n_active_

    @property
    def _shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.model_.spec.shape

    @property
    def _active(self) -> Tensor:
        """Which dimensions are kept, booleans (m,) on the CPU."""
        active: Tensor = self.model_.active[0].cpu()
        return active

    def _keep(self, model: LatentModel, seed: int, record: dict[str, Any], scaling: Scaling | None) -> None:
        """Keep one seed of a model, and what belongs to it."""
        self.model_ = of_one_seed(model, seed)
        self.seed_, self.record_, self._scaling = seed, record, scaling
        self.n_active_ = int(self._active.sum())
        self.n_features_in_ = self.model_.spec.data_dimension
        if "feature_names" in record:
            self.feature_names_in_ = np.array(record["feature_names"], dtype=object)

    def _settings(self, rows: int) -> CountSettings:
        """Settings of the count; TypeError or ValueError says which parameter is wrong."""
        self._check_parameters()
        first = self.random_state
        if not isinstance(first, int | np.integer):
            first = check_random_state(first).randint(2**31 - 1)
        return CountSettings(
            capacity=self.capacity,
            seeds=tuple(range(int(first), int(first) + self.n_seeds)),
            preset=self.preset,
            steps=self.steps,
            refinement_share=REFINEMENT_SHARE,
            batch_size=min(self.batch_size, rows),
            network=self.network,
            hidden=tuple(self.hidden),
            critic_hidden=tuple(self.critic_hidden),
            widest=self.widest,
            validation_share=self.validation_share,
            jobs=1 if self.n_jobs is None else self.n_jobs,
            device=self.device,
        )

    def _check_parameters(self) -> None:
        """Refuse by its name what is of a wrong type, or too small."""
        least = {"n_seeds": 1, "widest": 0, "batch_size": 2, "capacity": 1, "steps": 2, "n_jobs": 1}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is None and name in ("capacity", "steps", "n_jobs"):
                continue
            if not isinstance(value, Integral):
                raise TypeError(f"{name} = {value!r}: give a whole number")
            if value < bound and name != "capacity":  # whose bounds are those of the data
                raise ValueError(f"{name} = {value}: must be at least {bound}")
        share: Any = self.validation_share
        state: Any = self.random_state
        if not isinstance(share, Real):
            raise TypeError(f"validation_share = {share!r}: give a number from 0 to below 1")
        if isinstance(state, Integral) and state < 0:
            raise ValueError(f"random_state = {state}: must be at least 0")
        for name in ("hidden", "critic_hidden"):
            widths = getattr(self, name)
            if not isinstance(widths, Iterable) or not all(isinstance(each, Integral) for each in widths):
                raise TypeError(f"{name} = {widths!r}: give one width or more, as (128, 128)")

    def _checked(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Vectors as floats (N, D), or images as they are; ValueError as scikit-learn words it."""
        if getattr(X, "ndim", 2) > 2:
            return self._checked_images(X, reset=reset)
        if not reset and self.model_.spec.kind == "images":
            raise ValueError(f"X has shape {np.shape(X)}; the model was trained on images {self._shape}")
        rows: NDArray[Any] = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], ensure_min_samples=2 if reset else 1
        )
        return rows

    def _checked_images(self, X: Any, *, reset: bool) -> NDArray[np.uint8]:
        images = np.asarray(X)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise ValueError(
                f"X is {images.dtype} of shape {images.shape}; expected numbers (N, D) or uint8 images "
                "(N, H, W, 1 or 3)"
            )
        if not reset and images.shape[1:] != self._shape:
            raise ValueError(f"X has images {images.shape[1:]}; the model was trained on {self._shape}")
        validate_data(self, images.reshape(len(images), -1), reset=reset, dtype=None)
        return images

    def _stored(self, X: NDArray[Any]) -> NDArray[Any]:
        """Scale vectors; images are stored as they are."""
        if X.dtype == np.uint8:
            return X
        return X.astype(np.float32) if self._scaling is None else self._scaling.apply(X)

    def _encoding_model(self) -> LatentModel:
        """The model, for vectors in double precision: codes of a row must not depend on those beside it."""
        return self.model_ if self.model_.spec.kind == "images" else copy.deepcopy(self.model_).double()

    def _decoded(self, codes: Tensor) -> NDArray[Any]:
        x = self.model_.decode(codes.unsqueeze(0))[0].cpu()
        return np.asarray(to_stored_form(x, self._shape).numpy())

    def _plain_parameters(self) -> dict[str, Any]:
        """Parameters as JSON holds them; a random state that is no number becomes None."""
        plain = dict(self.get_params())
        plain |= {name: list(plain[name]) for name in ("hidden", "critic_hidden")}
        state = self.random_state
        return {**plain, "random_state": int(state) if isinstance(state, int | np.integer) else None}


def _warn(count: Count) -> None:
    """Warn of everything that speaks against a count."""
    for caution in count.warnings:
        kind = ConvergenceWarning if caution.code in NOT_CONVERGED else UserWarning
        warnings.warn(f"{caution.sentence} {caution.remedy}", kind, stacklevel=3)


def stored_scaling(details: Mapping[str, Any] | None) -> Scaling | None:
    """Rebuild the scaling that a run's record holds; None where the data were not scaled."""
    if details is None or details["method"] == "none":
        return None
    return Scaling.from_details({"scaling": details})


def _parameters_of_run(model: LatentModel, record: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Parameters that describe one seed of a run of the workflow."""
    spec, plan = model.spec, record["plan"]
    nested = spec.hyperparameters.fidelity.mask_training == "nested"
    return {
        "capacity": spec.m,
        "network": spec.network,
        "hidden": spec.hidden,
        "critic_hidden": spec.critic_hidden,
        "steps": plan["steps"],
        "batch_size": plan["batch_size"],
        "preset": "robust" if nested else "paper",
        "scaling": "none" if stored_scaling(record.get("scaling")) is None else "standardise",
        "n_seeds": 1,
        "random_state": seed,
    }
