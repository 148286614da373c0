"""The checkpoints of a run, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import torch

from maskaae.models import LatentModel, load_model

FILE_NAME = re.compile(r"step_(\d+)\.safetensors")


def read_checkpoints(folder: Path, device: torch.device | str = "cpu") -> Iterator[tuple[int, LatentModel]]:
    """Load the checkpoints of a run one after the other.

    Parameters
    ----------
    folder : Path
        Folder of `step_{step}.safetensors` files.
    device : torch.device or str
        Where to put the models.

    Yields
    ------
    tuple of (int, LatentModel)
        Training steps done, and the model as it was then; steps ascend.

    Raises
    ------
    FileNotFoundError
        If the folder has no checkpoint.
    """
    matches = (FILE_NAME.fullmatch(path.name) for path in folder.iterdir())
    steps = {int(match[1]): folder / match[0] for match in matches if match}
    if not steps:
        raise FileNotFoundError(
            f"{folder}: no checkpoint; expected files step_<steps>.safetensors from training"
        )
    for step in sorted(steps):
        yield step, load_model(steps[step], device)
