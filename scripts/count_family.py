"""Count the dimensions of one data set with all defaults of `maskaae count`, and say how long it took."""

import json
import time
from pathlib import Path

import torch

from maskaae.counting.count import count_dimensions
from maskaae.counting.settings import CountSettings
from maskaae.data.dataset import load_dataset
from maskaae.logs import log_to
from maskaae.provenance import git_commit

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
dataset = load_dataset(Path(snakemake.input.info).parent, ["train"])
started = time.monotonic()
count = count_dimensions(dataset, CountSettings(seeds=tuple(snakemake.params.seeds)))
seconds = round(time.monotonic() - started, 1)
answer = {**count.to_dict(), "seconds": seconds, "device": "cpu", "commit": git_commit()}
Path(snakemake.output.answer).write_text(json.dumps(answer, indent=1), encoding="utf-8")
