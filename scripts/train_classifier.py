"""Train the small classifier of a labelled data set and report its accuracy."""

import json
from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.classifier import (
    ClassifierSettings,
    describe_classifier,
    save_classifier,
    train_classifier,
)
from maskaae.logs import log_to

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
dataset = load_dataset(Path(snakemake.input.info).parent)
settings = ClassifierSettings(seed=snakemake.params.seed)
classifier = train_classifier(
    dataset.train, dataset.train_labels, classes=dataset.info.classes, settings=settings
)
save_classifier(classifier, Path(snakemake.output.weights))
report = describe_classifier(classifier, dataset.test, dataset.test_labels, settings)
Path(snakemake.output.report).write_text(json.dumps(report, indent=2) + "\n")
