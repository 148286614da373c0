"""Sum up the runs on the user's own data in words: Markdown, and one HTML page with its pictures."""

import json
from pathlib import Path

import pandas as pd

from maskaae.logs import log_to
from maskaae.report.document import to_html, to_markdown
from maskaae.report.selection import read_info, read_runs
from maskaae.report.summary import Findings, best_model, summarise

log_to(snakemake.log[0])
files, params = snakemake.input, snakemake.params
metrics = read_runs(files.metrics, params.presets)
best = best_model(metrics, params.metric)
runs = {Path(path).parent.parts[-2:]: Path(path).absolute() for path in files.records}
records = {
    int(m.removeprefix("m")): json.loads(path.read_text(encoding="utf-8"))
    for (model, m), path in runs.items()
    if model == "maae"
}
# Absolute paths: what the text says to open and to type works from wherever it is read.
blocks = summarise(
    Findings(
        metrics,
        params.metric,
        read_info([files.info])[0],
        records,
        portrait=json.loads(Path(files.portrait).read_text(encoding="utf-8")),
        errors=pd.read_csv(files.errors),
        dimensions=pd.read_csv(files.dimensions_csv),
        run=runs[best.model, f"m{best.m}"].parent,
        model=Path(files.model).absolute(),
        examples=Path(files.examples).absolute(),
        dimensions_picture=Path(files.dimensions).absolute(),
        figures=[Path(path).absolute() for path in files.get("figures", [])],
    )
)
Path(snakemake.output.summary).write_text(to_markdown(blocks), encoding="utf-8")
Path(snakemake.output.html).write_text(
    to_html(blocks, "How many dimensions do your data need?"), encoding="utf-8"
)
