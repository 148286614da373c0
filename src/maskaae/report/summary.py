"""What a run on the user's own data found, as a colleague would tell it: Markdown, and one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from maskaae.counting.answer import Count, Round
from maskaae.counting.phrases import headline, nets_text, witnesses_text
from maskaae.evaluation.protocol import COUNT_RANGE, WEIGHT_RANGE, is_lost, last
from maskaae.evaluation.witnesses import Witness
from maskaae.report.document import Block, Bullets, Code, Heading, Paragraph, Picture, Table
from maskaae.report.own_count import configuring, count_of, rounds_of
from maskaae.report.selection import metric_label, model_name

WORST = 5
"""Columns that are listed as reconstructed worst."""
MOVED = 4
"""Columns that are listed for each dimension."""
MOVED_LEAST = 0.5
"""Deviations by which a dimension has to move a column for it to be listed (our choice)."""
EFFECTS_CAPTION = (
    "Lines: dimensions in use. Columns: those that are moved most. Red goes up, blue goes down, by so many "
    "standard deviations, as the dimension goes from -2 to 2 and the others stay."
)
TRAVERSALS_CAPTION = (
    "The first test image, reconstructed while one dimension (a line each) goes from -2 to 2 and the others "
    "stay."
)
FIGURE_CAPTIONS = {
    "fig4": "Distance of generated examples from real ones, and dimensions kept, against the dimensions m "
    "that a model could use.",
    "cuts": "What each dimension is worth: error of the reconstruction, and distance of the codes from the "
    "normal distribution, if codes are cut off after k dimensions. Green lines are the counts.",
}
"""What a figure of the configuration shows a reader who has not read the paper."""
EXAMPLES_CAPTION = "Real, reconstructed and generated examples of the model to use."


class BestModel(NamedTuple):
    """A trained model, as it was measured at its last checkpoint."""

    model: str
    m: int
    seed: int
    active: int
    fid: float

    @property
    def collapsed(self) -> bool:
        """Whether its mask closed every dimension."""
        return self.active == 0


@dataclass(frozen=True)
class Findings:
    """All that a summary is made of.

    Attributes
    ----------
    metrics : DataFrame
        Runs of WAE and MAAE on one data set, a row a seed and checkpoint.
    metric : str
        Column of the FID.
    info : mapping
        Content of `dataset.json`.
    records : mapping
        Content of `run.json` of MAAE's runs, by capacity.
    portrait : mapping
        `maskaae.handover.portrait.Portrait.facts` of the best model.
    errors, dimensions : DataFrame
        The portrait's tables.
    run, model : Path
        Folder of the best model's run, and of the files that other tools run.
    examples, dimensions_picture : Path
        Pictures of examples and of what each dimension does.
    figures : sequence of Path
        Figures of the configuration.
    """

    metrics: pd.DataFrame
    metric: str
    info: Mapping[str, Any]
    records: Mapping[int, Mapping[str, Any]]
    portrait: Mapping[str, Any]
    errors: pd.DataFrame
    dimensions: pd.DataFrame
    run: Path
    model: Path
    examples: Path
    dimensions_picture: Path
    figures: Sequence[Path] = ()

    @property
    def rounds(self) -> tuple[Round, ...]:
        """What MAAE counted at each capacity."""
        return rounds_of(self.metrics, self.records)

    @property
    def count(self) -> Count:
        """The answer."""
        witnesses = tuple(Witness(**said) for said in self.portrait["witnesses"])
        unseen = max(
            (record.get("validation", {}).get("rows", 0) for record in self.records.values()), default=0
        )
        size = int(np.prod(self.info["shape"]))
        return count_of(self.rounds, witnesses, self.info["n_train"] - unseen, size)


def best_model(metrics: pd.DataFrame, metric: str) -> BestModel:
    """Choose the MAAE of the lowest FID at the last checkpoint, among those whose mask did not collapse.

    Where every mask collapsed it is the WAE of the lowest FID; without a WAE a collapsed MAAE. Models whose
    FID, the column `metric`, is undefined come last.
    """
    at_end = last(metrics[metrics["model"].isin(["maae", "wae"])])
    collapsed = at_end["active"] == 0
    preference = np.select([(at_end["model"] == "maae") & ~collapsed, ~collapsed], [0, 1], default=2)
    best = at_end.assign(preference=preference).sort_values(["preference", metric]).iloc[0]
    return BestModel(
        str(best["model"]), int(best["m"]), int(best["seed"]), int(best["active"]), float(best[metric])
    )


def summarise(found: Findings) -> list[Block]:
    """Write the summary of a run on the user's own data."""
    count, best = found.count, best_model(found.metrics, found.metric)
    data = found.info["details"].get("path", found.info["source"])
    return [
        Heading("How many dimensions do your data need?", level=1),
        Paragraph(f"**{headline(count)}**"),
        Bullets(list(evidence(found, count))),
        *_doubts(count),
        Paragraph(f"Data: `{data}`"),
        Heading("What was tried"),
        *_tried(found),
        *(Picture(path, FIGURE_CAPTIONS.get(path.stem, path.stem)) for path in found.figures),
        Heading("What each dimension does"),
        *_dimensions(found),
        Heading("How well unseen rows are reconstructed"),
        *_errors(found),
        Picture(found.examples, EXAMPLES_CAPTION),
        Heading("The model to use"),
        *_model_to_use(found, best),
        Heading("Your data"),
        Bullets(data_notes(found.info)),
    ]


def evidence(found: Findings, count: Count) -> Iterator[str]:
    """Say how sure the count is, a sentence or two an item."""
    counts = count.counts
    low, high = min(counts), max(counts)
    spread = f"all found {low}" if low == high else f"they found {low} to {high}"
    capacities = ", ".join(str(each.trial.capacity) for each in found.rounds)
    spare = [each for each in found.rounds if not each.near_capacity and each.vote > 0]
    maae = model_name("maae", found.metrics["preset"])
    voting = "with dimensions to spare " if 0 < len(spare) < len(found.rounds) else ""
    yield (
        f"{count.agreeing} of {len(counts)} runs of {maae} {voting}found exactly that many; {spread}. "
        f"Tried were m = {capacities} dimensions, each with {len(found.rounds[-1].counts)} seeds."
    )
    if count.settled is not None:
        yield (
            "The count had stopped moving when the search ended, in every run."
            if count.settled
            else "The count still moved when the search ended."
        )
    yield f"Estimators that train nothing say: {witnesses_text(count.witnesses)}."
    rows, share = found.portrait["rows"], found.portrait["unexplained"]
    yield f"The model to use leaves {share:.1%} of the variance of {rows:,} unseen rows unexplained."
    firm = _firmness(found.metrics)
    if firm:
        yield firm
    trial = count.answer.trial
    yield (
        f"One width was tried, {nets_text(trial)}. `maskaae count DATA --widest {trial.doubled().widest}` "
        "compares wider ones."
    )


def _doubts(count: Count) -> Iterator[Block]:
    """Say what speaks against the count and what to do, also in the configuration."""
    if not count.warnings:
        return
    yield Paragraph("**What speaks against it, and what to do:**")
    items = []
    for caution in count.warnings:
        change = configuring(caution.code, count.answer.trial)
        where = f" In a copy of config/own_data.yaml: {change}." if change else ""
        items.append(f"{caution.sentence} {caution.remedy}{where}")
    yield Bullets(items)


def _firmness(metrics: pd.DataFrame) -> str:
    """Say which counts other weights of the reconstruction would have given, where that was measured."""
    if not metrics.columns.isin(COUNT_RANGE).any():
        return ""
    maae = last(metrics[metrics["model"] == "maae"])
    trained = maae[~is_lost(maae)]
    masked = trained[(trained["active"] < trained["m"]) & (trained["active"] > 0)]
    if masked.empty:
        return ""
    low, high = masked[COUNT_RANGE].median()
    return (
        f"If the reconstruction weighed {WEIGHT_RANGE:g} times less, the same searches would have chosen "
        f"{low:g} dimensions, {WEIGHT_RANGE:g} times more {high:g} (medians). The nearer these are, the more "
        "it is the data that decide."
    )


def _tried(found: Findings) -> Iterator[Block]:
    """A line a capacity: count of each seed, error and FID."""
    at_end = last(found.metrics)
    shares = {each.trial.capacity: each.validation_error for each in found.rounds}
    lines = []
    for m, rows in at_end.groupby("m"):
        maae = rows[rows["model"] == "maae"]
        counts = maae["active"].astype("Int64").astype(object).mask(is_lost(maae), "lost")
        errors = shares.get(int(str(m)), {})
        error = f"{np.mean(list(errors.values())):.1%}" if errors else "–"
        fids = [_mean(rows.loc[rows["model"] == model, found.metric]) for model in ("maae", "wae")]
        lines.append([m, ", ".join(map(str, counts)), error, *fids])
    label = metric_label(found.metric)
    columns = ["m", "dimensions kept", "unexplained", "MAAE", "WAE"]
    yield Table(columns, lines, "rlrrr")
    yield Paragraph(
        "m: dimensions that a model could use. Dimensions kept: one number a seed. Unexplained: share of the "
        f"variance of rows that took no part in training. MAAE, WAE: {label} (`{found.metric}`) of generated "
        "examples, mean over seeds; lower is better, and numbers of different data sets cannot be compared. "
        "A WAE uses all m dimensions."
    )


def _dimensions(found: Findings) -> Iterator[Block]:
    if found.dimensions.empty:
        yield Paragraph("The model has no dimension in use.")
        return
    if found.info["kind"] == "images":
        yield Picture(found.dimensions_picture, TRAVERSALS_CAPTION)
        return
    lines = []
    for dimension, rows in found.dimensions.groupby("dimension"):
        moved = rows[rows["moved"] >= MOVED_LEAST].nlargest(MOVED, "moved")
        words = [f"{_column(row.column)}: {row.low:.4g} to {row.high:.4g}" for row in moved.itertuples()]
        lines.append([dimension, "; ".join(words) or f"no column by {MOVED_LEAST} deviations"])
    yield Table(["dimension", "columns that it moves most, as it goes from -2 to 2"], lines, "rl")
    yield Picture(found.dimensions_picture, EFFECTS_CAPTION)


def _errors(found: Findings) -> Iterator[Block]:
    yield Paragraph(
        f"Of all values together {found.portrait['unexplained']:.1%} of the variance stays unexplained, on "
        f"the {found.portrait['rows']:,} examples of the test split."
    )
    worst = found.errors.dropna().sort_values("unexplained", ascending=False)[:WORST]
    if not worst.empty:
        lines = [
            [_column(row.column), f"{row.error:.3g}", f"{row.unexplained:.1%}"] for row in worst.itertuples()
        ]
        yield Table(["worst columns", "typical error", "unexplained"], lines)


def _column(name: object) -> str:
    """Name of a column, also where it is only a number."""
    return f"column {name}" if str(name).isdigit() else str(name)


def _model_to_use(found: Findings, best: BestModel) -> Iterator[Block]:
    """Say which model to take, why, and how to load it."""
    if best.collapsed:
        yield Paragraph("None: every mask closed all dimensions, so that all samples are the same.")
        return
    label = metric_label(found.metric)
    which = f"the {best.model.upper()} with the lowest {label} ({best.fid:.4g})"
    if best.model == "wae":
        which += f", because no MAAE has a dimension left. Its m = {best.m} is the best of a few, not a count"
    yield Paragraph(
        f"`{found.run}/model.safetensors`, seed {best.seed}: {which}. The test split chose it, so on new "
        f"data expect a slightly larger distance.{_better_wae(found, best)}"
    )
    yield Code(f"""from maskaae.estimator import MaskAAE

model = MaskAAE.load("{found.run}", seed={best.seed})
model.n_active_                        # dimensions it uses: {best.active}
new = model.sample(1000)               # in the units of your data
codes = model.transform(new)           # (1000, n_active_)
back = model.inverse_transform(codes)""")
    yield Paragraph(f"For other tools, with a model card: `{found.model}`")


def _better_wae(found: Findings, best: BestModel) -> str:
    """Say which WAE is better than the best MAAE, if one is."""
    wae = last(found.metrics[found.metrics["model"] == "wae"])
    better = wae[wae[found.metric] < best.fid].sort_values(found.metric)
    if best.model != "maae" or better.empty:
        return ""
    m, seed, fid = better[["m", "seed", found.metric]].to_numpy()[0]
    return (
        f" A WAE has a lower {metric_label(found.metric)}: m = {m:.0f}, seed {seed:.0f} ({fid:.4g}). If "
        "samples matter more than the count, use that one."
    )


def data_notes(info: Mapping[str, Any]) -> list[str]:
    """Say what was noticed while the data were prepared, from the content of `dataset.json`."""
    details = info["details"]
    shape = " x ".join(map(str, info["shape"]))
    notes = [f"{info['n_train']} training and {info['n_test']} test examples, {info['kind']} of {shape}."]
    reading = details.get("reading", {})
    notes += [*reading.get("guessed", []), *reading.get("left_out", []), *reading.get("warnings", [])]
    scaling = details.get("scaling", {})
    if scaling.get("method") == "standardise":
        notes.append("Columns were scaled to mean 0 and variance 1 of the training split.")
    if scaling.get("constant"):
        names = ", ".join(scaling["columns"][column] for column in scaling["constant"])
        notes.append(f"Constant over the training split, so not scaled: {names}.")
    duplicates = details.get("duplicates", {}).get("test_rows_in_train", 0)
    if duplicates:
        notes.append(
            f"{duplicates} test examples are in the training split too: FID looks better than it is."
        )
    for conversion, files in details.get("converted", {}).items():
        notes.append(f"Converted: {conversion}, {files['count']} images (the first: {files['first']}).")
    return notes


def _mean(values: pd.Series[float]) -> str:
    return "–" if values.isna().all() else f"{values.mean():.4g}"
