"""What docs/reliability.md shows, from the tables under docs/results/reliability."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parent
RESULTS = DOCS / "results/reliability"


def chaos_table(outcomes: pd.DataFrame) -> list[str]:
    """Return a line a scenario: jobs, disturbances, and how many jobs came out equal."""
    lines = ["| what was done | jobs | times in all | equal to the undisturbed run |", "|---|--:|--:|--:|"]
    for scenario, rows in outcomes.groupby("scenario", sort=False):
        equal = f"{rows['equal'].sum()} of {len(rows)}"
        lines.append(f"| {scenario} | {len(rows)} | {rows['disturbances'].sum()} | {equal} |")
    kills = outcomes[outcomes["scenario"].str.startswith("SIGKILL")]
    survived = kills.loc[kills["equal"], "disturbances"].sum()
    lines += ["", f"SIGKILLs survived with equal results: {survived} of {kills['disturbances'].sum()}."]
    messages = outcomes.dropna(subset=["note"])
    lines += ["", *(f"- {row.scenario}: `{row.note}`" for row in messages.itertuples())]
    return lines


def scenario_table(name: str, title: str) -> list[str]:
    """Return a table as it stands in its csv, under a heading; nothing where it was not made."""
    path = RESULTS / name
    if not path.exists():
        return []
    table = pd.read_csv(path).astype(object).fillna("")
    rows = [f"| {' | '.join(map(str, row))} |" for row in table.to_numpy()]
    columns = list(table.columns)
    return ["", f"### {title}", "", f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *rows]


def parts() -> dict[str, Callable[[], str]]:
    """All that was tried, as one part."""
    return {"tried": tried}


def tried() -> str:
    """Kills and faults, the cost of checkpoints, and SLURM."""
    made = ["### Killed, starved, confused", "", *chaos_table(pd.read_csv(RESULTS / "chaos.csv"))]
    made += scenario_table("overhead.csv", "Cost of checkpoints and resume state")
    made += scenario_table("slurm.csv", "On SLURM")
    return "\n".join(made)
