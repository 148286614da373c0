"""What figures and tables are made of: files of runs, what the configuration chooses of them, their names."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from maskaae.models.catalogue import TITLES

EXTRACTORS = {
    "fd_raw": "Fréchet distance",
    "fid_classifier": "FID (classifier features)",
    "fid_inception": "FID (Inception features)",
}


def read_runs(paths: Iterable[str | Path], presets: Mapping[str, str]) -> pd.DataFrame:
    """Concatenate one csv a run, with the columns dataset, model, m that name it, and preset.

    Not every csv repeats its run's name, but the folder `{dataset}/{model}/m{m}/` around it does. ValueError
    if there is no file, a file has no rows, or its folder names no run. `presets` has that of each data set.
    """
    frames = [_read_run(Path(path)) for path in paths]
    if not frames:
        raise ValueError("a figure of runs needs the csv of at least one run; none given")
    runs = add_by_dataset(pd.concat(frames, ignore_index=True), "preset", presets)
    return runs.copy()  # in one piece: histories have hundreds of columns


def _read_run(path: Path) -> pd.DataFrame:
    run = run_of(path)
    frame = pd.read_csv(path)
    if frame.empty:
        raise ValueError(f"{path}: no rows; expected at least one a seed")
    names = pd.DataFrame(run, index=frame.index)
    return pd.concat([names, frame.drop(columns=names.columns, errors="ignore")], axis="columns")


def run_of(path: Path) -> dict[str, Any]:
    """Name the run that a file belongs to: dataset, model, m."""
    run = re.fullmatch(r".*?([^/]+)/([^/]+)/m(\d+)", path.parent.as_posix())
    if run is None:
        raise ValueError(f"{path}: folder names no run; expected {{dataset}}/{{model}}/m{{m}}/{path.name}")
    return {"dataset": run[1], "model": run[2], "m": int(run[3])}


def read_records(paths: Iterable[str | Path], *keys: str) -> pd.DataFrame:
    """Some values of the run.json of several runs: dataset, model, m and a column a key."""
    rows = []
    for path in map(Path, paths):
        record = json.loads(path.read_text(encoding="utf-8"))
        rows.append(run_of(path) | {key: record[key] for key in keys})
    return pd.DataFrame(rows)


def read_search_steps(paths: Iterable[str | Path]) -> dict[tuple[str, int], int]:
    """Steps that the search of each run took, by data set and m, from its run.json; a soft mask has none."""
    found = {}
    for path in map(Path, paths):
        run, record = run_of(path), json.loads(path.read_text(encoding="utf-8"))
        if "search" in record:
            found[run["dataset"], run["m"]] = record["search"]["steps"]
    return found


def read_info(paths: Iterable[str | Path]) -> list[dict[str, Any]]:
    """Read the dataset.json of several data sets."""
    return [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]


def read_known(paths: Iterable[str | Path], key: str) -> dict[str, Any]:
    """One entry of the dataset.json of several data sets, by name: `n`, or an example's `shape`."""
    return {info["name"]: info[key] for info in read_info(paths)}


def choose_metric(metrics: pd.DataFrame, metric: Mapping[str, str]) -> pd.DataFrame:
    """Rows with the column chosen for their data set in `value`, its name in `metric`.

    KeyError names the data set for which none is chosen, or the column that is not there.
    """
    parts = []
    for dataset, rows in metrics.groupby("dataset", sort=False):
        if dataset not in metric:
            raise KeyError(f"no metric column chosen for data set '{dataset}'; chosen for {sorted(metric)}")
        column = metric[str(dataset)]
        if column not in rows:
            known = [name for name in rows if str(name).startswith(("fd_", "fid_"))]
            raise KeyError(f"data set '{dataset}': metrics have no column '{column}'; they have {known}")
        parts.append(rows.assign(metric=column, value=rows[column]))
    return pd.concat(parts, ignore_index=True)


def add_by_dataset(frame: pd.DataFrame, column: str, choice: Mapping[str, Any]) -> pd.DataFrame:
    """Add a column that is one value a data set, say its title; KeyError names the data set that has none."""
    for dataset in frame["dataset"].unique():
        if dataset not in choice:
            raise KeyError(f"no {column} given for data set '{dataset}'; given for {sorted(choice)}")
    return frame.assign(**{column: frame["dataset"].map(dict(choice))})


def in_order(frame: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Sort data sets as the config lists them, so that panels stand in its order; add their titles."""
    places = {dataset: place for place, dataset in enumerate(titles)}
    titled = add_by_dataset(frame, "title", titles)
    return titled.sort_values(
        "dataset", key=lambda names: names.map(places), kind="stable", ignore_index=True
    )


def models_in_order(names: Iterable[str]) -> list[str]:
    """Each model once, in the order of `TITLES`."""
    present = set(names)
    return [model for model in TITLES if model in present]


def model_name(model: str, presets: Iterable[str]) -> str:
    """What figures and tables call a model: MAAE with the preset, or presets, of the numbers shown."""
    if model != "maae":
        return TITLES[model]
    known = " and ".join(dict.fromkeys(presets))
    return f"{TITLES[model]} ({known})" if known else TITLES[model]


def metric_label(column: str) -> str:
    """Axis label of a column that `maskaae.evaluation.protocol.metric_column` names.

    For example `fid_classifier_10k` becomes `FID (classifier features)`; an unknown extractor: ValueError.
    """
    match = re.fullmatch(
        r"(?P<extractor>\w+?)_(?P<samples>\d+k?)(?P<stretched>_minmax)?(?P<soft>_soft)?", column
    )
    if match is None or match["extractor"] not in EXTRACTORS:
        known = ", ".join(f"{extractor}_10k" for extractor in EXTRACTORS)
        raise ValueError(f"metric column '{column}' has no axis label; expected one like {known}")
    stretched = ", stretched" if match["stretched"] else ""
    soft = ", soft mask" if match["soft"] else ""
    return EXTRACTORS[match["extractor"]] + stretched + soft
