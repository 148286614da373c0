"""A whole training run: from a data set to a model, its history and a record of what made it."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import svds
from torch import Tensor

from maskaae.data.dataset import Dataset
from maskaae.method.losses import reconstruction_unit
from maskaae.method.presets import TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models import catalogue
from maskaae.models.base import LatentModel
from maskaae.models.build import model_bytes
from maskaae.provenance import code_version, git_commit, versions
from maskaae.training.divergence import TrainingDivergedError
from maskaae.training.draws import TrainingData
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore, StopRequest, TrainingInterruptedError, write_atomically

if TYPE_CHECKING:
    from pandas import DataFrame


DONE = object()
"""What an iterator of a run's parts gives when none is left."""


MOST_ROWS = 5000
"""Rows of the validation part, and of the others, that a record is made of, spread evenly."""

ROWS_AT_A_TIME = 1000
MOST_COLUMNS = 1000
"""Columns up to which all principal axes are found at once: the time goes with their cube."""


@dataclass(frozen=True)
class TrainedRun:
    """What a run leaves behind."""

    model: LatentModel  # after the last step
    history: DataFrame  # one row per logged step and seed
    record: dict[str, Any]  # specification, plan, data, scaling, code, versions, device, duration
    store: RunStore  # holds the checkpoints

    def write(self, folder: Path) -> None:
        """Put the checkpoints into ``folder`` and write model.safetensors, history.csv and run.json there."""
        self.store.publish_checkpoints(folder / "checkpoints")
        write_atomically(folder / "model.safetensors", model_bytes(self.model))
        write_atomically(folder / "history.csv", self.history.to_csv(index=False).encode())
        write_atomically(folder / "run.json", (json.dumps(self.record, indent=2) + "\n").encode())
        self.store.discard()


@dataclass(frozen=True)
class PreparedRun:
    """A run that is ready to be trained, or to go on."""

    training: TrainingRun
    store: RunStore
    record: dict[str, Any]  # what is known beforehand

    def train(self) -> TrainedRun:
        """Train all seeds to the end of the run; errors as of :meth:`TrainingRun.train`."""
        started, first_step = time.monotonic(), self.training.step  # no clock that somebody sets
        self.training.train()
        return self.finished(first_step, time.monotonic() - started)

    def finished(self, first_step: int, seconds: float) -> TrainedRun:
        """What the run leaves behind, once it is trained in some seconds from the step ``first_step`` on."""
        run = self.training
        record = {
            **self.record,
            "steps": run.step,
            **run.model.schedule_record(),
            **validation_record(run.model, run.data, run.unseen),
            "lost": {str(seed): reason for seed, reason in run.model.lost.items()},
            "threads": torch.get_num_threads(),
            "resumed_from_step": first_step,
            "seconds": round(seconds, 1),
            "steps_per_second": round((run.step - first_step) / seconds, 2),
        }
        return TrainedRun(run.model.stored_form(), run.history, record, self.store)


def prepare_run(
    spec: ModelSpec,
    dataset: Dataset,
    plan: TrainingPlan,
    work_folder: Path,
    device: torch.device | str = "cpu",
    *,
    code: str | None = None,
) -> PreparedRun:
    """Build all seeds of a model, or load them where a killed run stopped.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    dataset : Dataset
        Only its training split is used.
    plan : TrainingPlan
        Length and intervals.
    work_folder : Path
        Where checkpoints and resume state are kept meanwhile.
    device : torch.device or str
        Where to train.
    code : str, optional
        Version of the code that decides the run's numbers, as of :func:`maskaae.provenance.code_version`. By
        default that of this module, its imports and the model's class.

    Raises
    ------
    StateMismatchError
        If ``work_folder`` holds the state of another configuration, data set or version of the code.
    ValueError
        If the data set has fewer examples than a batch.
    """
    if len(dataset.train) < plan.batch_size:
        raise ValueError(
            f"data set {dataset.info.name!r}: {len(dataset.train)} training examples are fewer than "
            f"batch_size = {plan.batch_size}; give a smaller batch_size"
        )
    if spec.hyperparameters.fidelity.reconstruction_scale == "relative":
        unit = reconstruction_unit(dataset.train, spec.reconstruction)
        spec = dataclasses.replace(spec, reconstruction_unit=unit)
    spec = spec.planned(plan)
    configuration = {"spec": spec.to_dict(), "plan": dataclasses.asdict(plan)}
    fingerprint = {
        "configuration": json.dumps(configuration, sort_keys=True),
        "data": dataset.info.sha256["train"],
        "code": code or training_code(Path(__file__), spec),
    }
    store = RunStore(work_folder, fingerprint)
    record = {
        **configuration,
        "dataset": dataset.info.name,
        "data_sha256": fingerprint["data"],
        "scaling": dataset.info.details.get("scaling"),
        "code_sha256": fingerprint["code"],
        "commit": git_commit(),
        "versions": versions(),
        "device": device_name(device),
    }
    return PreparedRun(TrainingRun(spec, dataset.train, plan, store, device), store, record)


def training_code(script: Path, spec: ModelSpec) -> str:
    """Version of what a script and its imports do, the class of a model among them."""
    model_class = catalogue.entry_point(spec.model, spec.hyperparameters.fidelity.mask_training)
    return code_version(script, (model_class,), catalogue.__name__)


def read_chosen(table: str | Path | None) -> dict[str, Any]:
    """What tuning chose, as `Hyperparameters.override` takes it, of a table of `maskaae.tuning.trials.tune`.

    Nothing, without a table.
    """
    if table is None:
        return {}
    with Path(table).open(encoding="utf-8", newline="") as file:
        chosen = [row["override"] for row in csv.DictReader(file) if row["chosen"] == "True"]
    override: dict[str, Any] = json.loads(chosen[0])
    return override


def train_side_by_side(
    prepared: Sequence[PreparedRun],
) -> Iterator[tuple[PreparedRun, TrainedRun | TrainingDivergedError]]:
    """Train several runs on one GPU at once, each on a stream of its own; give each as soon as it is done.

    A small network leaves most of a GPU idle. A run whose training diverges is given with the error, and does
    not stop the others.

    Raises
    ------
    TrainingInterruptedError
        If a signal asked for a stop; the state of every run is saved then.
    """
    started = time.monotonic()
    interrupted: TrainingInterruptedError | None = None
    with StopRequest() as stop:
        going = {id(run): (run, run.training.step, run.training.parts(stop)) for run in prepared}
        while going:
            for key, (run, first_step, parts) in list(going.items()):
                outcome: TrainedRun | TrainingDivergedError
                try:
                    if next(parts, DONE) is not DONE:
                        continue
                    outcome = run.finished(first_step, time.monotonic() - started)
                except TrainingDivergedError as error:
                    outcome = error
                except TrainingInterruptedError as interruption:
                    interrupted = interruption
                    del going[key]
                    continue
                del going[key]
                yield run, outcome
    if interrupted is not None:
        raise interrupted


def device_name(device: torch.device | str) -> str:
    """Return the device in words: its kind and, for a GPU, its model."""
    device = torch.device(device)
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def validation_record(model: LatentModel, seen: TrainingData, unseen: TrainingData | None) -> dict[str, Any]:
    """Number of rows in the validation part, and the share of the variance that each seed leaves unexplained.

    What is explained of ``seen`` rows and not of ``unseen`` ones is learnt by heart. ``linear`` is what
    principal components of the seen rows leave of the unseen ones, as many as the seed has active dimensions:
    a net that does no better has found nothing that is curved. The share of a lost seed is None. Nothing,
    without a validation part.
    """
    if unseen is None:
        return {}
    unexplained = {
        "seen": _by_seed(model, unexplained_share(model, seen).tolist()),
        "unseen": _by_seed(model, unexplained_share(model, unseen).tolist()),
    }
    counts = [int(count) for count in model.active.sum(dim=1)]
    linear = _by_seed(model, linear_share(counts, seen, unseen))
    return {"validation": {"rows": len(unseen), "unexplained": unexplained, "linear": linear}}


def _by_seed(model: LatentModel, shares: Sequence[float]) -> dict[str, float | None]:
    return {
        str(seed): share if math.isfinite(share) and seed not in model.lost else None
        for seed, share in zip(model.seeds, shares, strict=True)
    }


@torch.no_grad()
def unexplained_share(model: LatentModel, data: TrainingData) -> Tensor:
    """Squared reconstruction error through the binary mask over the variance of the same rows, (seed,)."""
    examples = torch.split(spread(data), ROWS_AT_A_TIME)  # each (row, D)
    mean = torch.stack([x.sum(dim=0) for x in examples]).sum(dim=0) / sum(map(len, examples))
    variance = torch.stack([(x - mean).square().sum() for x in examples]).sum()
    training = model.training
    model.eval()
    errors = torch.stack(
        [
            (x - model.reconstruct(x.expand(len(model.seeds), -1, -1))).square().sum(dim=(1, 2))
            for x in examples
        ]
    )
    model.train(training)
    return errors.sum(dim=0) / variance


def linear_share(counts: Sequence[int], seen: TrainingData, unseen: TrainingData) -> list[float]:
    """Share of the variance of unseen rows that so many principal components of seen rows leave unexplained.

    NaN for counts of which the seen rows have no principal components.
    """
    rows, others = (spread(data).double().cpu().numpy() for data in (seen, unseen))
    most = min(max(counts), *rows.shape)
    variance = float(((others - others.mean(axis=0)) ** 2).sum())
    centred = others - rows.mean(axis=0)
    explained = ((centred @ principal_axes(rows, most)) ** 2).sum(axis=0)  # (axis,)
    errors = (centred**2).sum() - np.concatenate([[0.0], explained.cumsum()])  # with 0, 1, ... axes
    return [
        float(errors[count]) / variance if count <= most and variance > 0 else math.nan for count in counts
    ]


def principal_axes(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The first principal axes (D, count) of rows (row, D), unit vectors."""
    centred = rows - rows.mean(axis=0)
    if centred.shape[1] <= MOST_COLUMNS:
        return np.asarray(np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :count])
    if count in (0, len(rows)):
        return np.asarray(np.linalg.svd(centred, full_matrices=False)[2][:count].T)
    _, values, axes = svds(centred, k=count, v0=np.ones(min(centred.shape)))
    return np.asarray(axes[np.argsort(-values)].T)


def spread(data: TrainingData) -> Tensor:
    """Some rows, (row, D), spread evenly over all."""
    size = min(MOST_ROWS, len(data))
    return data.gather(torch.arange(size, device=data.device) * len(data) // size)
