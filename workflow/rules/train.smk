"""Training.

Input: a data set. Output: results/runs/{dataset}/{model}/m{m}/ with model.safetensors, history.csv, run.json
and checkpoints/. All seeds of the configuration train in one job. A killed job leaves resume/ behind, which
is no output, and goes on from it.
"""

import shutil
from dataclasses import asdict
from datetime import timedelta

LONG_RUN = 100_000
"""Steps from which a training on a CPU deserves a word before it starts."""


onstart:
    if (
        find_spec("torch") is None
        and not workflow.deployment_settings.deployment_method
    ):
        raise WorkflowError(
            f"torch, which the jobs compute with, is not installed: {SETUP}, or add `--sdm conda`"
        )
    longest = max(dataset.training["steps"] for dataset in DATASETS.values())
    if longest >= LONG_RUN and shutil.which("nvidia-smi") is None:
        logger.warning(
            f"No GPU was found: {len(EXPERIMENT.runs())} trainings of up to {longest:,} steps will run on the CPU. "
            "Each says in its first minutes how long it needs; config/demo.yaml is made for a CPU."
        )


# While rules are read, so that a dry run says it too.
if workflow.is_main_process and (others := finished_with_other_seeds()):
    took = timedelta(seconds=round(sum(record["seconds"] for record in others)))
    logger.warning(
        f"Finished trainings of other seeds than {list(EXPERIMENT.seeds)}: {len(others)}, which took {took}. Those that "
        "are needed train again, with all seeds. To keep what is there, give another folder: `--directory`, and with "
        "`--config 'seeds=[...]'` new seeds alone."
    )


rule tune:
    """Try hyper-parameters of a model on a validation part of the training split"""
    input:
        train="results/data/{dataset}/train.npy",
        info="results/data/{dataset}/dataset.json",
    output:
        table="results/tuning/{dataset}/{model}.csv",
    log:
        "results/logs/tuning/{dataset}/{model}.log",
    benchmark:
        "results/benchmarks/tuning/{dataset}/{model}.tsv"
    conda:
        "../envs/compute.yaml"
    threads: 1
    resources:
        batch_size=BATCH_SIZE,
        gpu=1,
        mem_mb=16000,
        runtime=lambda wildcards, attempt: 24 * 60 * attempt,
    params:
        code=code_with_model("tune"),
        seeds=EXPERIMENT.seeds,
        network=of_dataset("network"),
        plan=of_dataset("training"),
        hyperparameters=lambda wildcards: asdict(
            of_dataset("hyperparameters")(wildcards)
        ),
        capacity=lambda wildcards: candidates_of(wildcards).capacity,
        overrides=lambda wildcards: candidates_of(wildcards).overrides,
        samples=EXPERIMENT.evaluation["samples"],
        seed=EXPERIMENT.evaluation["seed"],
    script:
        "../../scripts/tune.py"


rule train:
    """Train all seeds of one model at one capacity"""
    input:
        unpack(tuned),
        train="results/data/{dataset}/train.npy",
        info="results/data/{dataset}/dataset.json",
    output:
        model=f"{RUN}/model.safetensors",
        history=f"{RUN}/history.csv",
        run=f"{RUN}/run.json",
        checkpoints=directory(f"{RUN}/checkpoints"),
    log:
        "results/logs/train/{dataset}/{model}/m{m}.log",
    benchmark:
        "results/benchmarks/train/{dataset}/{model}/m{m}.tsv"
    conda:
        "../envs/compute.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=16000,
        runtime=lambda wildcards, attempt: 24 * 60 * attempt,
    params:
        code=code_with_model("train"),
        model=lambda wildcards: split_label(wildcards.model)[0],
        seeds=EXPERIMENT.seeds,
        network=of_setting("network"),
        plan=of_setting("training"),
        hyperparameters=lambda wildcards: asdict(
            of_setting("hyperparameters")(wildcards)
        ),
    script:
        "../../scripts/train.py"
