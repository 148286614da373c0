"""The training loop: every model of the pipeline, all seeds of a run at once."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from maskaae.method.presets import TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.base import LatentModel
from maskaae.models.build import build_for_training, model_bytes
from maskaae.training.divergence import DivergenceWatch, TrainingDivergedError
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.stepping import Stepper
from maskaae.training.store import RunStore, StopRequest, TrainingInterruptedError

if TYPE_CHECKING:
    from pandas import DataFrame

    from maskaae.training.fast.graph import GraphTrainer

logger = logging.getLogger(__name__)

ENCODED_AT_A_TIME = 1000
"""Training examples in one pass when a model is given the codes of many."""


SLOW_RUN = timedelta(hours=12)
"""A run on a CPU that will take longer is worth a warning."""


class TrainingRun:
    """A run between two training steps: what is saved, restored and carried on.

    Parameters
    ----------
    spec : ModelSpec
        The model to train.
    examples : np.ndarray
        Training split: images uint8 (N, H, W, C) or vectors float32 (N, D).
    plan : TrainingPlan
        Length and intervals.
    store : RunStore
        Where checkpoints and resume state go.
    device : torch.device or str
        Where to train.
    """

    def __init__(
        self,
        spec: ModelSpec,
        examples: np.ndarray,
        plan: TrainingPlan,
        store: RunStore,
        device: torch.device | str = "cpu",
    ) -> None:
        self.model: LatentModel = build_for_training(spec.planned(plan)).to(device)
        self.step = 0
        self._history: list[dict[str, Any]] = []
        self._plan, self._store, self._device = plan, store, str(device)
        set_precision(plan.precision)
        self._stepper = Stepper(self.model, plan.steps, plan.batch_size)
        self.data = TrainingData(examples, device)
        self.unseen: TrainingData | None = None  # the validation part: it decides, and does not train
        if self.model.draw_sizes.unseen and plan.validation_share:
            self.data, self.unseen = self.data.cut(plan.validation_share, plan.validation_seed)
        self._draws = Draws(self.model, self.data, plan.batch_size, device, unseen=self.unseen)
        self._watch = DivergenceWatch(spec.seeds)
        self._restore(store.load_state())
        self._graph = self._graph_trainer()

    @property
    def length(self) -> int:
        """Steps of the whole run, as far as is known by now: not known before its search has settled."""
        return self.model.run_length(self._plan.steps)

    @property
    def history(self) -> DataFrame:
        """One row per logged step and seed."""
        from pandas import DataFrame  # takes over a second to import, and only the end of a run needs it

        history = DataFrame(self._history)
        # Empty cells of a lost seed would make floats of the counts of the others.
        counts = {"active": "Int64"} if self.model.lost and "active" in history else {}
        return history.astype(counts)

    def train(self) -> None:
        """Train to the last step, saving on the way.

        Raises
        ------
        TrainingDivergedError
            If a loss, gradient or mask is not finite, and the plan says to stop or no other seed is left.
        TrainingInterruptedError
            If a signal asked for a stop; the state is saved then.
        """
        with StopRequest() as stop:
            for _ in self.parts(stop):
                pass

    def parts(self, stop: StopRequest, longest: int = 100) -> Iterator[None]:
        """Train in parts of at most ``longest`` steps.

        Between two parts the caller may give steps to what trains beside it on the same GPU, which meanwhile
        works at those of the last part. Errors are those of :meth:`train`.
        """
        spec = self.model.spec
        progress = Progress(self.length, self.step, self._device)
        words = "training %s, m = %d, seeds %s, on %s"
        logger.info(words, spec.model, spec.capacity, self.model.seeds, self._device)
        if self.step == 0:
            self._save_checkpoint()
        while self.step < self.length:
            with self._stream():
                for _ in range(min(longest, self._steps_to_next_row())):
                    if self._graph is None:
                        losses = self._stepper.step(self._draws.next(), self.step)
                        self._watch.look(losses, self.step)
                    else:
                        losses = self._graph.step(self.step)
                    self.step += 1
                    if stop.received:
                        break
            yield
            with self._stream():
                self._account_for(losses, progress, stop)
        progress.close()
        self.model.eval()

    def _steps_to_next_row(self) -> int:
        """Steps until something is logged or saved."""
        due = (
            self.step // every * every + every
            for every in (self._plan.log_every, self._plan.checkpoint_every)
        )
        return min(self.length, *due) - self.step

    def _account_for(self, losses: dict[str, Tensor], progress: Progress, stop: StopRequest) -> None:
        """Log and save what is due after the step just taken, the last of ``losses``."""
        plan = self._plan
        logged = self.step % plan.log_every == 0 or self.step == self.length
        saved = self.step % plan.checkpoint_every == 0 or self.step == self.length
        if logged or saved or stop.received:
            self._give_up_diverged_seeds()
        if logged:
            self._record(losses, progress)
        if saved:
            self._save_checkpoint()
            self._save_state()
        if stop.received:
            self._save_state()
            raise TrainingInterruptedError(f"{stop.received} received: state saved at step {self.step}")

    def _stream(self) -> AbstractContextManager[object]:
        """Where the steps of this run are queued: a stream of its own if they are replayed."""
        return nullcontext() if self._graph is None else torch.cuda.stream(self._graph.stream)

    def _graph_trainer(self) -> GraphTrainer | None:
        """Return what takes the steps of this run by replaying a graph, where that can be done."""
        if torch.device(self._device).type != "cuda":
            return None
        if not self._stepper.can_be_captured:
            logger.info("%s is trained by launched steps: they cannot be captured", self.model.spec.model)
            return None
        from maskaae.training.fast.graph import GraphTrainer, ScheduledSteps  # a CPU has no graphs

        steps = ScheduledSteps(self._stepper, self._draws, self._watch, self._device)
        return GraphTrainer(steps, self._device)

    def _give_up_diverged_seeds(self) -> None:
        """Make sure that losses, gradients and masks are finite; mark a seed as lost, or stop, otherwise."""
        self._watch.look(self._stepper.gradient_norms(), self.step - 1, "gradient of the {}")
        self._watch.look({"mask": self.model.mu.sum(dim=1)}, self.step - 1, "{}")
        for divergence in self._watch.found(known=self.model.lost):
            self.model.lost[divergence.seed] = str(divergence)
            if self._plan.on_divergence == "stop" or len(self.model.lost) == len(self.model.seeds):
                left = self._store.keep_diverged(self.step, model_bytes(self.model))
                raise TrainingDivergedError(divergence, self._store.last_checkpoint(), left)
            logger.warning("seed %d is lost: %s; the other seeds go on", divergence.seed, divergence)

    def _record(self, losses: dict[str, Tensor], progress: Progress) -> None:
        """Append one row a seed to the history; that of a lost seed holds the reason and no values."""
        columns = {name: values[-1].tolist() for name, values in losses.items()}
        columns |= {name: values.tolist() for name, values in self.model.monitors().items()}
        for index, seed in enumerate(self.model.seeds):
            row = {name: values[index] for name, values in columns.items()}
            if seed in self.model.lost:
                row = {"undefined": f"lost: {self.model.lost[seed]}"}
            self._history.append({"step": self.step, "seed": seed, **row})
        means = {name: float(np.nanmean(columns[name])) for name in losses}
        progress.expect(self.length)
        progress.report(self.step, means, self.model.stored_active.sum(dim=1).tolist())

    def _save_checkpoint(self) -> None:
        if self.model.fitted_examples:
            self.model.fit_codes(self._training_codes(self.model.fitted_examples))
        self._store.save_checkpoint(self.step, model_bytes(self.model))

    @torch.no_grad()
    def _training_codes(self, count: int) -> Tensor:
        """Codes (seed, example, m) of examples spread evenly over the training split, in evaluation mode."""
        count = min(count, len(self.data))
        rows = torch.arange(count, device=self._device) * len(self.data) // count
        self.model.eval()
        codes = [
            self.model.encode(self.data.gather(part).expand(len(self.model.seeds), -1, -1))
            for part in torch.split(rows, ENCODED_AT_A_TIME)
        ]
        self.model.train()
        joined = torch.cat(codes, dim=1)
        lost = [seed in self.model.lost for seed in self.model.seeds]
        joined[lost] = 0.0  # nothing can be fitted to NaNs, and nothing is made of a lost seed anyway
        return joined

    def _save_state(self) -> None:
        self._store.save_state(
            self.step,
            {
                "model": self.model.state_dict(),
                "optimisers": self._stepper.state(),
                "draws": self._draws.state(),
                "schedule": self.model.schedule_state(),
                "history": self._history,
                "lost": self.model.lost,
            },
        )

    def _restore(self, state: dict[str, Any] | None) -> None:
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self._stepper.restore(state["optimisers"])
        self._draws.restore(state["draws"])
        self.model.restore_schedule(state["schedule"])
        self._history = state["history"]
        self.model.lost.update(state["lost"])
        self.step = state["step"]


class Progress:
    """Tells how a run is getting on: a line in the log every so many seconds, a bar on a terminal."""

    def __init__(self, steps: int, first_step: int, device: str, seconds: float = 10.0) -> None:
        self._steps, self._first, self._device, self._interval = steps, first_step, device, seconds
        self._start = self._last_line = time.monotonic()
        self._warned = False
        self._bar = tqdm(total=steps, initial=first_step, disable=not sys.stderr.isatty(), unit="step")

    def expect(self, steps: int) -> None:
        """Take in how long the run will be, as far as is known by now."""
        self._steps = self._bar.total = steps

    def report(self, step: int, losses: Mapping[str, float], active: Sequence[int]) -> None:
        """Take in the state after ``step`` steps: losses averaged over seeds, active count of each seed."""
        self._bar.update(step - self._bar.n)
        self._bar.set_postfix(active=",".join(map(str, active)), refresh=False)
        now = time.monotonic()
        if now - self._last_line < self._interval and step < self._steps:
            return
        self._last_line = now
        speed = (step - self._first) / max(now - self._start, 1e-9)
        left = timedelta(seconds=round((self._steps - step) / max(speed, 1e-9)))
        text = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
        counts = ", ".join(map(str, active))
        words = "step %d of %d  %s  active %s  %.1f steps/s  %s left"
        logger.info(words, step, self._steps, text, counts, speed, left)
        self._warn_if_slow(left)

    def _warn_if_slow(self, left: timedelta) -> None:
        if self._device == "cpu" and left > SLOW_RUN and not self._warned:
            self._warned = True
            logger.warning(
                "this run trains on a CPU and needs about %s more; a GPU is meant for this length", left
            )

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._bar.close()


def set_precision(precision: Literal["tf32", "float32"]) -> None:
    """Choose how this process multiplies single-precision matrices, and convolves, on GPUs.

    ``tf32`` rounds what is multiplied to 10 bits after the binary point and adds up in single precision;
    ``float32`` rounds nothing. A CPU always has single precision.
    """
    allowed = {"tf32": True, "float32": False}[precision]
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
