"""What pages say of a folder under docs/results: what made it, whether it is stale, and what the csv hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from maskaae.config.checking import check_config
from maskaae.config.reading import read_config
from maskaae.evaluation.protocol import last
from maskaae.models.catalogue import TITLES as MODELS
from maskaae.report import count_families as families
from maskaae.report.dimensions import NAMES as METHODS
from maskaae.report.freshness import FILE, Provenance
from maskaae.report.markup import markdown_table
from maskaae.report.records import RECORDS
from maskaae.report.selection import model_name

FAMILIES_DRAWN = "Vote minus true dimension of every data set, a line a family; a ring marks a warning."
REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "docs/results"


def parts() -> dict[str, Callable[[], str]]:
    """Parts by name."""
    folders = [path.name for path in sorted(RESULTS.iterdir()) if path.is_dir()]
    return {
        **{f"provenance.{name}": partial(provenance, name) for name in dict.fromkeys([*folders, "paper"])},
        **{f"pictures.{name}": partial(pictures, name) for name in ("paper", "paper_n16")},
        **{f"starts.{name}": partial(starts, name) for name in ("paper", "paper_n16")},
        "demo": demo,
        "demo_took": demo_took,
        "dimensions": dimensions,
        "count_families": count_families,
        "why_it_fails": why_it_fails,
        "untidy": untidy,
        "ablations": ablations,
    }


def provenance(folder: str) -> str:
    """What made a folder, and a warning if today's code or configuration would make it otherwise."""
    if not (RESULTS / folder / FILE).exists():
        return "*Not run.*"
    record = Provenance.read(RESULTS / folder)
    line = f"*{record.sentence()}*"
    if not record.changes(REPOSITORY):
        return line
    return (  # what changed is left to `make stale`: it would change this page with every commit
        f"{line} **Of older code.** Today's code or configuration is not that of {record.short_commits}: "
        f"`{record.command}` may give other numbers. `make stale` says what is different."
    )


def pictures(folder: str) -> str:
    """Every figure of a folder, and what made them."""
    found = [
        f"![{RECORDS[path.stem].description.removesuffix(': data sets')}](results/{folder}/{path.name})"
        for path in sorted((RESULTS / folder).glob("fig*.png"))
    ]
    return "\n\n".join([*found, provenance(folder)])


def starts(folder: str) -> str:
    """Of how many dimensions the start of the mask alone tells what becomes of them."""
    path = RESULTS / folder / "mask_starts.csv"
    if not path.exists():
        return "*Not run.*"
    rows = pd.read_csv(path)
    lines = []
    for m, of_m in rows.groupby("m"):
        counts = of_m.groupby("seed")["active"].sum()
        told = f"{of_m['told'].iloc[0]:.0f} of {len(of_m)}"
        lines.append([m, ", ".join(map(str, counts)), short(of_m["split"].iloc[0]), told])
    head = ["m", "count of each seed", "stay active if M starts above", "dimensions of which this is true"]
    picture = f"![{RECORDS['mask_starts'].description}](results/{folder}/mask_starts.png)"
    return f"{markdown_table(head, lines)}\n\n{picture}\n\n{provenance(folder)}"


def demo() -> str:
    """Caption of the demo's figure 4."""
    experiment = check_config(read_config(REPOSITORY / "config/demo.yaml"))
    rows = last(pd.read_csv(RESULTS / "demo/metrics.csv"))
    rows = rows[rows["model"] == "maae"]
    lines = []
    for name, entry in experiment.datasets.items():
        n = entry.source_spec.get("n")
        shown = rows[rows["dataset"] == name]
        shown = shown[shown["m"] >= n] if n is not None else shown[shown["active"] < shown["m"]]
        if shown.empty:
            continue
        low, high = int(shown["active"].min()), int(shown["active"].max())
        count = str(low) if low == high else f"{low} to {high}"
        starts = ", ".join(map(str, sorted(shown["m"].unique())))
        lines.append([entry.title, "unknown" if n is None else n, starts, count])
    heads = ["data", "true dimension n", "dimensions at the start, m", "dimensions kept"]
    caption = (
        "*Above, how far samples of WAE and of MAAE (robust) are from the data; below, how many dimensions "
        "MAAE (robust) keeps; both against m, the number of dimensions at the start.*"
    )
    return "\n\n".join([caption, markdown_table(heads, lines, "lrrr"), provenance("demo")])


def demo_took() -> str:
    """How long the demo took, and where."""
    took, _, machine = (RESULTS / "demo/demo_time.txt").read_text(encoding="utf-8").strip().partition(" on ")
    return f"Once the environment was there, the demo took **{took}** when last recorded ({machine})."


def untidy() -> str:
    """What the count says of an untidy table, word for word."""
    said = (RESULTS / "untidy/answer.txt").read_text(encoding="utf-8").strip()
    return f"```console\n{said}\n```\n\n{provenance('untidy')}"


def dimensions() -> str:
    """Mean estimate of every method, by kind of data and true dimension."""
    rows = pd.read_csv(RESULTS / "dimensions/dimensions.csv")
    record, parts = Provenance.read(RESULTS / "dimensions"), [provenance("dimensions")]
    order = [method for method in METHODS if method in set(rows["method"])]
    for kind, of_kind in rows.groupby("kind", sort=False):
        wide = of_kind.pivot(index="method", columns=["quantity", "n"], values="mean")
        sizes = sorted(of_kind["n"].unique())
        lines = [
            [
                model_name(method, record.trained.presets) if method in MODELS else METHODS[method],
                *(f"{wide.loc[method, ('estimate', n)]:.3g}" for n in sizes),
                f"{wide.loc[method, 'seconds'].max():.2g}",
            ]
            for method in order
        ]
        head = ["", *(f"n = {n}" for n in sizes), "seconds, at most"]
        parts.append(f"**{kind}**\n\n{markdown_table(head, lines)}")
    return "\n\n".join(parts)


def count_families() -> str:
    """What came out of the goals for the count, of the data sets for judging that were counted."""
    folder = RESULTS / "count_families"
    if not (folder / FILE).exists():
        return "*Not run.*"
    rows = pd.read_csv(folder / "count_families.csv")
    experiment = check_config(read_config(REPOSITORY / "config/count_families.yaml"))
    judging = experiment.count_families["judging"] if experiment.count_families else []
    found = families.shares(rows)
    goals = markdown_table(
        ["", "asked", "found"], [[goal, asked, found[goal]] for goal, asked in families.GOALS.items()]
    )
    missed = [
        [
            row["dataset"],
            row["n"],
            row["counts"],
            row["vote"],
            row["warnings"] if pd.notna(row["warnings"]) else "–",
        ]
        for _, row in rows[rows["error"] != 0].iterrows()
    ]
    head = ["vote is not n", "n", "count of each seed", "vote", "warnings"]
    left = len(judging) - len(rows)
    counted = (
        f"All {len(rows)} data sets for judging were counted."
        if not left
        else f"{len(rows)} of the {len(judging)} data sets for judging were counted so far; {left} are left."
    )
    return "\n\n".join(
        [
            counted,
            goals,
            *([markdown_table(head, missed)] if missed else []),
            f"![{FAMILIES_DRAWN}](results/count_families/count_families.png)",
            "[A line for each data set](results/count_families/count_families.md).",
            provenance("count_families"),
        ]
    )


def short(value: float) -> str:
    """Three digits of a number, a dash where there is none."""
    if pd.isna(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def slug(title: str) -> str:
    """Name of the file of a group's picture: its title, with a hyphen for whatever is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def group_picture(folder: str, title: str) -> str:
    """Link to the picture of a group of a comparison."""
    words = "What each change does to the count, the distance and the codes"
    return f"![{words}: {title}](results/{folder}/{slug(title)}.png)"


def ablations() -> str:
    """Mean count and distance of every change of a setting, the distance relative to the base's too."""
    rows = pd.read_csv(RESULTS / "ablations/ablations.csv")
    parts = [provenance("ablations")]
    for group, of_group in rows.groupby("group", sort=False):
        capacities = sorted(of_group["m"].unique())
        wide = of_group.pivot_table(index="row", columns=["quantity", "m"], values="mean", sort=False)
        base = of_group.loc[of_group["kind"] == "base", "row"].iloc[0]
        n = of_group["n"].dropna()
        lines = []
        for name in wide.index:
            cells = []
            for m in capacities:
                error, distance = (
                    value_at(wide, name, quantity, m) for quantity in ("count_error", "distance")
                )
                count = error + n.iloc[0] if len(n) else value_at(wide, name, "active", m)
                ratio = distance / value_at(wide, base, "distance", m) - 1
                cells += [
                    short(count),
                    short(distance),
                    "" if pd.isna(ratio) else f"{round(ratio, 2) + 0.0:+.0%}",
                ]
            lines.append([name, *cells])
        heads = [f"{what}, m = {m}" for m in capacities for what in ("count", "distance", "to the base's")]
        picture = group_picture("ablations", str(group))
        parts.append(f"**{group}**\n\n{picture}\n\n{markdown_table(['', *heads], lines)}")
    return "\n\n".join(parts)


def value_at(wide: pd.DataFrame, row: str, quantity: str, m: int) -> float:
    """A cell of a table of means; NaN where it was not measured."""
    return float(wide.loc[row, (quantity, m)]) if (quantity, m) in wide.columns else float("nan")


SHOWN = {"active": "active", "distance": "FID", "precision": "precision", "recall": "recall"}
SHOWN |= {"code_deviation": "code deviation", "reconstruction_mse": "reconstruction (MSE)"}


def why_it_fails() -> str:
    """Every line of every group of the comparison, means over seeds."""
    rows = pd.read_csv(RESULTS / "why_it_fails/why_it_fails.csv")
    parts = [provenance("why_it_fails")]
    for group, of_group in rows.groupby("group", sort=False):
        wide = of_group.pivot_table(index="row", columns="quantity", values="mean", sort=False)
        wide = wide.reindex(columns=list(SHOWN))
        wae = wide["distance"].get("WAE", float("nan"))
        wide.insert(2, "against WAE's", wide["distance"] / wae)
        cells = [[name, *map(short, row)] for name, *row in wide.itertuples()]
        heads = [SHOWN.get(name, name) for name in wide.columns]
        picture = group_picture("why_it_fails", str(group))
        parts.append(f"**{group}**\n\n{picture}\n\n{markdown_table(['', *heads], cells)}")
    return "\n\n".join(parts)
