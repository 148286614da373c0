"""Sum up the runs on the user's own data: dimensions found, best model, its samples and reconstructions."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.data.own.splits import spread_rows
from maskaae.estimator import MaskAAE
from maskaae.logs import log_to
from maskaae.report.figures import samples
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_info, read_runs
from maskaae.report.summary import best_model, summarise

EXAMPLES = 500

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
metrics = read_runs(snakemake.input.metrics, snakemake.params.presets)
info = read_info([snakemake.input.info])[0]
best = best_model(metrics, snakemake.params.metric)
folders = {Path(path).parent.parts[-2:]: Path(path).parent for path in snakemake.input.models}
folder = folders[best.model, f"m{best.m}"]
model = MaskAAE.load(folder, seed=best.seed)
test = load_dataset(Path(snakemake.input.info).parent, ["test"]).test
real = model.in_units(test[spread_rows(len(test), EXAMPLES)])
examples = {
    "real": real,
    "reconstructed": model.inverse_transform(model.transform(real)),
    "generated": model.sample(len(real), snakemake.params.seed),
}
if info["kind"] == "images":
    frame, draw = samples.reconstructions_data(examples), samples.draw_reconstructions
else:
    columns = info["details"]["scaling"]["columns"]
    frame, draw = samples.marginals_data(examples, columns), samples.draw_marginals
write_figure(frame, draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
# Absolute: what the text says to open and to type works from wherever it is read.
figures = [str(Path(path).absolute()) for path in (*snakemake.input.get("figures", []), snakemake.output.png)]
text = summarise(metrics, snakemake.params.metric, info, folder.absolute(), figures)
Path(snakemake.output.summary).write_text(text, encoding="utf-8")
