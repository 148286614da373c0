"""Reading what the figures draw, and writing a figure with the csv that it was drawn from."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from maskaae.figures.style import paper_style


def read_runs(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Concatenate one csv a run.

    Raises
    ------
    ValueError
        If there is no file, or a file has no rows.
    """
    frames = {str(path): pd.read_csv(path) for path in paths}
    if not frames:
        raise ValueError("a figure of runs needs at least one csv; none given")
    for path, frame in frames.items():
        if frame.empty:
            raise ValueError(f"{path}: no rows; expected one a seed and checkpoint")
    return pd.concat(frames.values(), ignore_index=True)


def read_histories(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Concatenate training histories, with the columns dataset, model, m that their folders name.

    A history does not repeat its run's name: the folder ``{dataset}/{model}/m{m}/`` around it does.
    """
    frames = []
    for path in map(Path, paths):
        dataset, model, capacity = path.parts[-4:-1]
        frames.append(
            read_runs([path]).assign(dataset=dataset, model=model, m=int(capacity.removeprefix("m")))
        )
    return pd.concat(frames, ignore_index=True)


def write_figure(
    frame: pd.DataFrame,
    draw: Callable[[pd.DataFrame], Figure],
    csv: str | Path,
    pdf: str | Path,
    png: str | Path,
) -> None:
    """Write a figure's data, and draw from the written file, so that picture and csv cannot differ.

    The files hold no date and no version, so that equal data give equal bytes.
    """
    frame.to_csv(csv, index=False)
    with paper_style():
        figure = draw(pd.read_csv(csv))
        figure.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
        figure.savefig(png, metadata={"Software": None})
