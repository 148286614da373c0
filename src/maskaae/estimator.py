"""MaskAAE in the style of scikit-learn, for a notebook: fit, transform, inverse_transform, sample."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.data.own.splits import Scaling
from maskaae.evaluation.examples import batches, to_model_input, to_stored_form
from maskaae.handover.export import FORMATS, Format, hand_over
from maskaae.method.presets import PRESETS, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import load_model, model_bytes
from maskaae.training.run import train_run
from maskaae.training.store import write_atomically

ROWS_AT_A_TIME = 1000


class MaskAAE(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A masked adversarial auto-encoder that finds how many of its dimensions the data need.

    Parameters
    ----------
    capacity : int
        Assumed latent dimension m: more than the data need.
    hidden, critic_hidden : sequence of int
        Hidden widths of the encoder (of the decoder in reverse) and of the critic.
    steps, batch_size : int
        Training steps, and examples a batch.
    preset : {"robust", "paper"}
        Constants of the method.
    scaling : {"standardise", "none"}
        Whether each column of vectors is scaled to mean 0 and variance 1 for training; images never are.
    seed : int
        Decides weights, batches and noise.
    device : str
        Where to train and compute.

    Attributes
    ----------
    model_ : LatentModel
        The model, of one seed after `fit`, of all seeds of its run after `load`.
    n_active_ : int
        Dimensions it uses. One fit is one count: fit several seeds and capacities from n to 4n and score how
        far they agree with `maskaae.evaluation.dimension.stability`.
    record_ : dict
        What made the model: specification, plan, data hash, scaling, versions.

    Examples
    --------
    >>> model = MaskAAE(capacity=8, steps=2000).fit(x)  # doctest: +SKIP
    >>> model.n_active_, model.sample(100).shape  # doctest: +SKIP
    (3, (100, 20))
    """

    def __init__(
        self,
        capacity: int = 16,
        *,
        hidden: Sequence[int] = (128, 128),
        critic_hidden: Sequence[int] = (128, 128),
        steps: int = 3000,
        batch_size: int = 64,
        preset: Literal["robust", "paper"] = "robust",
        scaling: Literal["standardise", "none"] = "standardise",
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.capacity = capacity
        self.hidden = hidden
        self.critic_hidden = critic_hidden
        self.steps = steps
        self.batch_size = batch_size
        self.preset = preset
        self.scaling = scaling
        self.seed = seed
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
        spec = model.spec
        trained = [candidate for candidate in spec.seeds if candidate not in model.lost]
        chosen = trained[0] if seed is None else seed
        if chosen not in spec.seeds:
            raise ValueError(f"{folder}: no seed {chosen}; it holds {', '.join(map(str, spec.seeds))}")
        if chosen in model.lost:
            raise ValueError(f"{folder}: seed {chosen} was lost: {model.lost[chosen]}; trained: {trained}")
        scaling = stored_scaling(record.get("scaling"))
        estimator = cls(
            spec.m,
            hidden=spec.hidden,
            critic_hidden=spec.critic_hidden,
            steps=record["plan"]["steps"],
            batch_size=record["plan"]["batch_size"],
            scaling="none" if scaling is None else "standardise",
            seed=chosen,
            device=device,
        )
        estimator.model_, estimator.record_, estimator._scaling = model, record, scaling
        return estimator

    def save(self, folder: Path | str) -> None:
        """Write `model.safetensors` and `run.json`, which `load` reads, into a folder."""
        check_is_fitted(self, "model_")
        write_atomically(Path(folder) / "model.safetensors", model_bytes(self.model_))
        content = json.dumps(self.record_, indent=2) + "\n"
        write_atomically(Path(folder) / "run.json", content.encode())

    def export(
        self, folder: Path | str, unseen: NDArray[Any] | None = None, formats: Sequence[Format] = FORMATS
    ) -> None:
        """Write encoder and decoder for other tools, as ONNX and `torch.export`, and a model card.

        The card tells the error on the rows `unseen`, in the user's units. ModuleNotFoundError if ONNX needs
        the extra `onnx`; ValueError if the mask closed every dimension.
        """
        check_is_fitted(self, "model_")
        hand_over(
            self.model_,
            self.seed,
            self.record_,
            Path(folder),
            scaling=self._scaling,
            unseen=None if unseen is None else self._stored(unseen),
            formats=formats,
        )

    def fit(self, X: NDArray[Any], y: None = None) -> Self:
        """Train on data.

        Parameters
        ----------
        X : ndarray
            Vectors (N, D) of any number type, or images uint8 (N, H, W, C) with C = 1 or 3.
        y : None
            Not used; scikit-learn's pipelines pass it.

        Raises
        ------
        ValueError
            If X is neither, or holds a value that is not finite, or fewer examples than a batch.
        """
        kind = _kind_of(X)
        self._scaling = Scaling.fit(X) if kind == "vectors" and self.scaling == "standardise" else None
        dataset = _in_memory(kind, self._stored(X), self._scaling)
        spec = ModelSpec(
            model="maae",
            m=self.capacity,
            seeds=(self.seed,),
            kind=kind,
            shape=dataset.info.shape,
            hidden=tuple(self.hidden),
            critic_hidden=tuple(self.critic_hidden),
            hyperparameters=PRESETS[self.preset],
        )
        plan = TrainingPlan(self.steps, self.batch_size, log_every=self.steps, checkpoint_every=self.steps)
        with TemporaryDirectory() as folder:
            run = train_run(spec, dataset, plan, Path(folder), self.device)
        self.model_, self.record_ = run.model.eval().requires_grad_(False), run.record
        return self

    @property
    def n_active_(self) -> int:
        """Dimensions that the mask keeps."""
        return int(self._active.sum())

    def transform(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Encode data, in the user's units, to the active dimensions: (N, `n_active_`)."""
        check_is_fitted(self, "model_")
        if X.shape[1:] != self.model_.spec.shape:
            raise ValueError(
                f"X has shape {X.shape[1:]} per example; the model was trained on {self.model_.spec.shape}"
            )
        rows = (to_model_input(x) for x in batches(self._stored(X), ROWS_AT_A_TIME, self.device))
        return np.concatenate([self._of_seed(self.model_.encode, x)[:, self._active].numpy() for x in rows])

    def inverse_transform(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Decode codes (N, `n_active_`) to data in the units of the user: (N, D) or (N, H, W, C)."""
        check_is_fitted(self, "model_")
        if codes.ndim != 2 or codes.shape[1] != self.n_active_:
            raise ValueError(f"codes have shape {codes.shape}; expected (N, {self.n_active_})")
        full = torch.zeros(len(codes), self.model_.m)
        full[:, self._active] = torch.as_tensor(codes, dtype=torch.float32)
        parts = torch.split(full.to(self.device), ROWS_AT_A_TIME)
        return self.in_units(np.concatenate([self._decoded(part) for part in parts]))

    def sample(self, count: int, seed: int = 0) -> NDArray[Any]:
        """Generate examples in the user's units from standard normal codes; equal seeds, equal samples."""
        check_is_fitted(self, "model_")
        codes = np.random.default_rng([seed, self.seed]).standard_normal((count, self.n_active_), np.float32)
        return self.inverse_transform(codes)

    def in_units(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Bring examples as the model knows them, say of a prepared data set, back to the user's units."""
        return stored if self._scaling is None else self._scaling.invert(stored)

    def _stored(self, X: NDArray[Any]) -> NDArray[Any]:
        """Scale vectors; images are stored as they are."""
        if X.dtype == np.uint8 and X.ndim == 4:
            return X
        return X.astype(np.float32) if self._scaling is None else self._scaling.apply(X)

    @property
    def _active(self) -> Tensor:
        """Which dimensions are active, booleans (m,) on the CPU."""
        check_is_fitted(self, "model_")
        active: Tensor = self.model_.active[self.model_.seeds.index(self.seed)].cpu()
        return active

    def _of_seed(self, function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
        """Apply the seed's encoder or decoder to rows (batch, size)."""
        every = function(rows.expand(len(self.model_.seeds), -1, -1))  # (seed, batch, size)
        return every[self.model_.seeds.index(self.seed)].cpu()

    def _decoded(self, codes: Tensor) -> NDArray[Any]:
        x = self._of_seed(self.model_.decode, codes)
        return np.asarray(to_stored_form(x, self.model_.spec.shape).numpy())


def stored_scaling(details: Mapping[str, Any] | None) -> Scaling | None:
    """Rebuild the scaling that a run's record holds; None where the data were not scaled."""
    if details is None or details["method"] == "none":
        return None
    return Scaling.from_details({"scaling": details})


def _kind_of(X: NDArray[Any]) -> Literal["images", "vectors"]:
    """Tell images from vectors, and refuse anything else."""
    if X.ndim == 4 and X.dtype == np.uint8 and X.shape[3] in (1, 3):
        return "images"
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise ValueError(
            f"X is {X.dtype} of shape {X.shape}; expected numbers (N, D) or uint8 images (N, H, W, 1 or 3)"
        )
    bad = np.argwhere(~np.isfinite(X))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"X holds {X[row, column]} in row {row}, column {column}; every value must be finite"
        )
    return "vectors"


def _in_memory(kind: Literal["images", "vectors"], train: NDArray[Any], scaling: Scaling | None) -> Dataset:
    """Make a data set that has only a training split."""
    info = DatasetInfo(
        name="X",
        source="array",
        kind=kind,
        shape=train.shape[1:],
        n_train=len(train),
        n_test=0,
        classes=0,
        n=None,
        sha256={"train": hashlib.sha256(np.ascontiguousarray(train).tobytes()).hexdigest()},
        details={} if scaling is None else {"scaling": scaling.details()},
    )
    none = np.zeros(0, dtype=np.int64)
    return Dataset(info, train, train[:0], none, none)
