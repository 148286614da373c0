"""Write table 2: capacity, active dimensions and NAC of WAE and MAAE."""

from pathlib import Path

from maskaae import tables
from maskaae.figures.output import read_runs

table = tables.table2(read_runs(snakemake.input.metrics), snakemake.params.titles)
table.to_csv(snakemake.output.csv, index=False)
Path(snakemake.output.md).write_text(tables.as_markdown(table), encoding="utf-8")
Path(snakemake.output.tex).write_text(tables.as_latex(table), encoding="utf-8")
