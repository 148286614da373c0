"""Judge the paper's claims: a table of verdicts, and what each figure's caption says of them."""

from pathlib import Path

from maskaae.report.claims.checks import judge_claims
from maskaae.report.claims.measured import Measured, Thresholds
from maskaae.report.claims.wording import as_markdown, caption
from maskaae.report.markup import write_document
from maskaae.report.selection import read_runs

params = snakemake.params
measured = Measured.of(
    read_runs(snakemake.input.metrics, params.presets),
    params.metric,
    params.known,
    params.images,
    Thresholds(**params.thresholds),
)
verdicts = judge_claims(measured)
verdicts.to_csv(snakemake.output.csv, index=False)
table = as_markdown(verdicts, measured, params.titles, params.setting)
write_document(table, snakemake.output.md, snakemake.output.html)
for path in map(Path, snakemake.output.findings):
    path.write_text(caption(path.stem, verdicts, params.titles), encoding="utf-8")
