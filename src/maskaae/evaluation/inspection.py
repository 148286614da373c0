"""What one trained model does: its error on unseen rows, and what each active dimension moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.examples import batches, to_model_input, to_stored_form
from maskaae.models.base import LatentModel

ROWS_AT_A_TIME = 1000
MOVES = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Where a dimension is put to see what it does: 95 % of the prior lies between the ends (our choice)."""


class SeedView:
    """One seed of a model, on rows and codes without the seed axis.

    Parameters
    ----------
    model : LatentModel
        In evaluation mode.
    seed : int
        One of its seeds.
    """

    def __init__(self, model: LatentModel, seed: int) -> None:
        self._model, self._index = model, model.seeds.index(seed)
        self.device = model.mu.device
        self.active: Tensor = model.active[self._index]

    def encode(self, x: Tensor) -> Tensor:
        """Masked codes (N, m) of model input (N, D)."""
        codes = self._model.encode(self._for_all(x))[self._index]
        return codes * self._model.inference_mask("binary")[self._index]

    def decode(self, codes: Tensor) -> Tensor:
        """Model output (N, D) of masked codes (N, m)."""
        return self._model.decode(self._for_all(codes))[self._index]

    def _for_all(self, rows: Tensor) -> Tensor:
        return rows.expand(len(self._model.seeds), -1, -1)


@torch.inference_mode()
def value_errors(model: LatentModel, seed: int, rows: NDArray[Any]) -> pd.DataFrame:
    """Measure how well a seed reconstructs rows, stored examples (N, H, W, C) or (N, D), value by value.

    Returns
    -------
    DataFrame
        A row for each of the D values of an example: mean squared `error` of the reconstruction and
        `variance` over the rows, both as the model knows the data (scaled columns, pixels in [0, 1]).
    """
    view = SeedView(model, seed)
    size = model.spec.data_dimension
    error, total, squares = (torch.zeros(size, dtype=torch.float64, device=view.device) for _ in range(3))
    for stored in batches(rows, ROWS_AT_A_TIME, view.device):
        x = to_model_input(stored)
        error += (view.decode(view.encode(x)) - x).square().double().sum(dim=0)
        total += x.double().sum(dim=0)
        squares += x.double().square().sum(dim=0)
    mean = total / len(rows)
    variance = (squares / len(rows) - mean.square()).clamp(min=0)
    return pd.DataFrame({"error": (error / len(rows)).cpu(), "variance": variance.cpu()})


def unexplained(errors: pd.DataFrame) -> float:
    """Share of the variance, of all values together, that reconstructions leave; NaN where nothing varies."""
    variance = float(errors["variance"].sum())
    return float(errors["error"].sum()) / variance if variance > 0 else float("nan")


@torch.inference_mode()
def dimension_effects(
    model: LatentModel, seed: int, rows: NDArray[Any], columns: Sequence[str]
) -> pd.DataFrame:
    """Say which columns each active dimension moves, as it goes from -2 to 2 and the others stay.

    The others stay where the encoder puts the rows, so that the effect is one on data as they are.

    Parameters
    ----------
    rows : ndarray
        Stored vectors (N, D).
    columns : sequence of str
        Their names.

    Returns
    -------
    DataFrame
        A row for each active dimension (`dimension`, from 1) and column: `low` and `high`, means over the
        rows at both ends, in the model's units; `moved`, root mean square of the change of a row.
    """
    view = SeedView(model, seed)
    codes = torch.cat([view.encode(to_model_input(x)) for x in batches(rows, ROWS_AT_A_TIME, view.device)])
    tables = []
    for number, place in enumerate(view.active.nonzero().flatten().tolist(), start=1):
        low, high = (view.decode(_moved(codes, place, end)).double() for end in (MOVES[0], MOVES[-1]))
        moved = (high - low).square().mean(dim=0).sqrt()
        effect = {"low": low.mean(dim=0).cpu(), "high": high.mean(dim=0).cpu(), "moved": moved.cpu()}
        tables.append(pd.DataFrame({"dimension": number, "column": list(columns), **effect}))
    return pd.concat(tables, ignore_index=True)


@torch.inference_mode()
def traversals(model: LatentModel, seed: int, example: NDArray[Any]) -> pd.DataFrame:
    """Reconstruct an example while each active dimension goes from -2 to 2 and the others stay.

    Parameters
    ----------
    example : ndarray
        One stored image (H, W, C).

    Returns
    -------
    DataFrame
        A row for each active dimension and place: `dimension` (from 1), `place`, and pixels p0 .. p{D-1}.
    """
    view = SeedView(model, seed)
    codes = view.encode(to_model_input(torch.from_numpy(np.array(example[None])).to(view.device)))
    active = view.active.nonzero().flatten().tolist()
    moved = torch.cat([_moved(codes, place, move) for place in active for move in MOVES])
    pixels = to_stored_form(view.decode(moved), model.spec.shape).flatten(1).cpu().numpy()
    labels = pd.DataFrame(
        {"dimension": np.repeat(np.arange(1, len(active) + 1), len(MOVES)), "place": MOVES * len(active)}
    )
    return pd.concat([labels, pd.DataFrame(pixels).add_prefix("p")], axis=1)


def _moved(codes: Tensor, place: int, value: float) -> Tensor:
    """Codes (N, m) with one dimension put to a value."""
    moved = codes.clone()
    moved[:, place] = value
    return moved
