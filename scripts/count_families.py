"""Compare counts with the known n of the data sets: table and figure."""

import json
from pathlib import Path

from maskaae.report import count_families
from maskaae.report.figures.drawing import write_figure
from maskaae.report.markup import write_document
from maskaae.report.selection import read_info

counts = [json.loads(Path(path).read_text(encoding="utf-8")) for path in snakemake.input.answers]
rows = count_families.compare(counts, read_info(snakemake.input.info))
rows.to_csv(snakemake.output.table, index=False)
write_document(count_families.as_markdown(rows), snakemake.output.md, snakemake.output.html)
write_figure(rows, count_families.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
