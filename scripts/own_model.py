"""Describe the best model of the user's own data, and hand it over: pictures, tables, networks."""

import json
from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.data.own.splits import spread_rows
from maskaae.estimator import MaskAAE, stored_scaling
from maskaae.handover.export import available_formats, hand_over
from maskaae.handover.portrait import EXAMPLES, portray
from maskaae.logs import log_to
from maskaae.report.figures import samples
from maskaae.report.figures.dimensions_apart import draw_effects, draw_traversals
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_runs
from maskaae.report.summary import best_model

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
output, seed = snakemake.output, snakemake.params.seed
best = best_model(read_runs(snakemake.input.metrics, snakemake.params.presets), snakemake.params.metric)
folders = {Path(path).parent.parts[-2:]: Path(path).parent for path in snakemake.input.models}
estimator = MaskAAE.load(folders[best.model, f"m{best.m}"], seed=best.seed)
dataset = load_dataset(Path(snakemake.input.info).parent)
scaling = stored_scaling(dataset.info.details.get("scaling"))
images = dataset.info.kind == "images"

real = estimator.in_units(dataset.test[spread_rows(len(dataset.test), EXAMPLES)])
examples = {
    "real": real,
    "reconstructed": estimator.inverse_transform(estimator.transform(real)),
    "generated": estimator.sample(len(real), seed),
}
frame = (
    samples.reconstructions_data(examples)
    if images
    else samples.marginals_data(examples, dataset.info.details["scaling"]["columns"])
)
draw = samples.draw_reconstructions if images else samples.draw_marginals
write_figure(frame, draw, output.examples_csv, output.examples_pdf, output.examples)

portrait = portray(estimator.model_, best.seed, dataset, scaling)
draw = draw_traversals if images else draw_effects
write_figure(portrait.dimensions, draw, output.dimensions_csv, output.dimensions_pdf, output.dimensions)
portrait.errors.to_csv(output.errors, index=False)
Path(output.portrait).write_text(json.dumps(portrait.facts(), indent=2) + "\n", encoding="utf-8")
Path(output.model).mkdir(parents=True, exist_ok=True)
if not best.collapsed:
    hand_over(
        estimator.model_,
        best.seed,
        estimator.record_,
        Path(output.model),
        scaling=scaling,
        unseen=dataset.test,
        formats=available_formats(),
    )
