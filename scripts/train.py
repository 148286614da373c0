"""Train all seeds of one model at one capacity on one data set."""

from pathlib import Path

from maskaae.logs import log_to
from maskaae.training.lease import lease_device

log_to(snakemake.log[0])

with lease_device() as lease:  # before torch is imported: CUDA looks at its environment once
    import torch

    from maskaae.data.dataset import load_dataset
    from maskaae.method.presets import Hyperparameters, TrainingPlan
    from maskaae.method.spec import ModelSpec
    from maskaae.training.run import prepare_run, read_chosen

    torch.set_num_threads(snakemake.threads)
    dataset = load_dataset(Path(snakemake.input.info).parent, ["train"])
    hyperparameters = Hyperparameters.from_dict(snakemake.params.hyperparameters)
    spec = ModelSpec.for_data(
        dataset.info,
        snakemake.params.network,
        model=snakemake.params.model,
        m=int(snakemake.wildcards.m),
        seeds=snakemake.params.seeds,
        hyperparameters=hyperparameters.override(read_chosen(snakemake.input.get("tuning"))),
        on_gpu=lease.device != "cpu",
    )
    folder = Path(snakemake.output.run).parent
    prepared = prepare_run(
        spec,
        dataset,
        TrainingPlan(**snakemake.params.plan),
        folder / "resume",  # no output of the rule: outputs of a killed job are deleted
        lease.device,
        code=snakemake.params.code,
    )
    prepared.train().write(folder)
