"""Try hyper-parameters of a model on a validation part of the training split."""

from pathlib import Path

from maskaae.logs import log_to
from maskaae.training.lease import lease_device

log_to(snakemake.log[0])

with lease_device() as lease:  # before torch is imported: CUDA looks at its environment once
    import torch

    from maskaae.data.dataset import load_dataset
    from maskaae.evaluation.examples import Sampling
    from maskaae.method.presets import Hyperparameters, TrainingPlan
    from maskaae.method.spec import ModelSpec
    from maskaae.tuning.trials import tune

    torch.set_num_threads(snakemake.threads)
    dataset = load_dataset(Path(snakemake.input.info).parent, ["train"])
    spec = ModelSpec.for_data(
        dataset.info,
        snakemake.params.network,
        model=snakemake.wildcards.model,
        m=snakemake.params.capacity,
        seeds=snakemake.params.seeds,
        hyperparameters=Hyperparameters.from_dict(snakemake.params.hyperparameters),
        on_gpu=lease.device != "cpu",
    )
    table = tune(
        spec,
        dataset,
        TrainingPlan(**snakemake.params.plan),
        snakemake.params.overrides,
        sampling=Sampling(snakemake.params.samples, snakemake.resources.batch_size, snakemake.params.seed),
        device=lease.device,
    )
table.to_csv(snakemake.output.table, index=False)
