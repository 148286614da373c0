"""What one trained model does: its error on unseen rows, and what each active dimension moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.data.own.splits import Scaling
from maskaae.evaluation.examples import batches, to_model_input, to_stored_form
from maskaae.models.base import LatentModel

ROWS_AT_A_TIME = 1000
MOST_COLUMNS = 20
"""Columns that are listed for each dimension: those that it moves most."""
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


def named_errors(
    errors: pd.DataFrame, columns: Sequence[str], scale: NDArray[np.float64] | float
) -> pd.DataFrame:
    """Tell `value_errors` of vectors as a user reads them: column, typical `error`, share `unexplained`.

    Parameters
    ----------
    columns : sequence of str
        Names of the D columns.
    scale : ndarray (D,) or float
        What one in the model's units is in the user's.
    """
    share = errors["error"] / errors["variance"].where(errors["variance"] > 0)
    return pd.DataFrame(
        {"column": list(columns), "error": np.sqrt(errors["error"]) * scale, "unexplained": share}
    )


@torch.inference_mode()
def dimension_effects(
    model: LatentModel, seed: int, rows: NDArray[Any], columns: Sequence[str], scaling: Scaling | None
) -> pd.DataFrame:
    """Say which columns each active dimension moves most, as it goes from -2 to 2 and the others stay.

    The others stay where the encoder puts the rows, so that the effect is one on data as they are.

    Parameters
    ----------
    rows : ndarray
        Stored vectors (N, D).
    columns : sequence of str
        Their names.
    scaling : Scaling or None
        Of the columns; None where they were not scaled.

    Returns
    -------
    DataFrame
        For each active dimension (`dimension`, from 1) the `MOST_COLUMNS` columns that it moves most, by
        `moved`, the root mean square change of a row in standard deviations of the column; `low` and `high`,
        means over the rows at both ends, in the user's units.
    """
    view = SeedView(model, seed)
    deviation = torch.from_numpy(np.array(rows)).double().std(dim=0, correction=0)
    deviation = torch.where(deviation > 0, deviation, torch.inf)  # what is constant is not moved
    codes = torch.cat([view.encode(to_model_input(x)) for x in batches(rows, ROWS_AT_A_TIME, view.device)])
    tables = [pd.DataFrame({name: [] for name in ("dimension", "column", "low", "high", "moved")})]
    for number, place in enumerate(view.active.nonzero().flatten().tolist(), start=1):
        low, high = (view.decode(_moved(codes, place, end)).double().cpu() for end in (MOVES[0], MOVES[-1]))
        moved = (high - low).square().mean(dim=0).sqrt() / deviation
        ends = [
            mean if scaling is None else scaling.invert(mean)
            for mean in (low.mean(0).numpy(), high.mean(0).numpy())
        ]
        effect = {"column": list(columns), "low": ends[0], "high": ends[1], "moved": moved.numpy()}
        tables.append(pd.DataFrame({"dimension": number, **effect}).nlargest(MOST_COLUMNS, "moved"))
    return pd.concat(tables[1:] or tables, ignore_index=True)


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
        A row for each active dimension and place: `dimension` (from 1), `place`, height, width, channels and
        pixels (0 to 255 with blanks between them, in the order of (H, W, C)).
    """
    view = SeedView(model, seed)
    codes = view.encode(to_model_input(torch.from_numpy(np.array(example[None])).to(view.device)))
    active = view.active.nonzero().flatten().tolist()
    moved = torch.cat([codes[:0], *(_moved(codes, place, move) for place in active for move in MOVES)])
    images = to_stored_form(view.decode(moved), model.spec.shape).cpu().numpy()
    places = [(number, move) for number in range(1, len(active) + 1) for move in MOVES]
    rows = [
        [*place, *image.shape, " ".join(map(str, image.ravel()))]
        for place, image in zip(places, images, strict=True)
    ]
    return pd.DataFrame(rows, columns=["dimension", "place", "height", "width", "channels", "pixels"])


def _moved(codes: Tensor, place: int, value: float) -> Tensor:
    """Codes (N, m) with one dimension put to a value."""
    moved = codes.clone()
    moved[:, place] = value
    return moved
