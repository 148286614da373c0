"""How long a run is and when it stops to write. Torch-free: configurations are checked against this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from maskaae.method.presets import Count, Described, Integer


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
