"""Evaluation.

Input: data sets and runs. Output: the classifier and the reference statistics of each data set under
results/reference/, metrics.csv, covariance.csv and samples.csv of each run, and results/metrics.csv.
Nothing here trains an auto-encoder; reals are always the test split.
"""


rule download_inception:
    """Fetch the Inception weights, or take those put into results/data/raw/ by hand"""
    output:
        weights="results/reference/inception.pth",
    log:
        "results/logs/reference/inception.log",
    retries: 2
    localrule: True
    conda:
        "../envs/compute.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_of("download_inception"),
        raw=lambda wildcards: RAW,
    script:
        "../../scripts/download_inception.py"


rule train_classifier:
    """Train a small classifier whose features measure the FID of its data set"""
    input:
        train="results/data/{dataset}/train.npy",
        test="results/data/{dataset}/test.npy",
        labels="results/data/{dataset}/labels.npz",
        info="results/data/{dataset}/dataset.json",
    output:
        weights="results/reference/{dataset}/classifier.safetensors",
        report="results/reference/{dataset}/classifier.json",
    log:
        "results/logs/reference/{dataset}/classifier.log",
    benchmark:
        "results/benchmarks/reference/{dataset}/classifier.tsv"
    conda:
        "../envs/compute.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("train_classifier"),
        seed=EXPERIMENT.evaluation["seed"],
    script:
        "../../scripts/train_classifier.py"


rule reference_statistics:
    """Mean and covariance of a test split in one feature space"""
    input:
        unpack(learned_extractor),
        test="results/data/{dataset}/test.npy",
        info="results/data/{dataset}/dataset.json",
    output:
        statistics="results/reference/{dataset}/{features}.npz",
    log:
        "results/logs/reference/{dataset}/{features}.log",
    benchmark:
        "results/benchmarks/reference/{dataset}/{features}.tsv"
    conda:
        "../envs/compute.yaml"
    resources:
        batch_size=BATCH_SIZE,
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("reference_statistics"),
    script:
        "../../scripts/reference_statistics.py"


rule evaluate:
    """Measure every seed at every checkpoint of a run"""
    input:
        unpack(learned_extractors),
        test="results/data/{dataset}/test.npy",
        info="results/data/{dataset}/dataset.json",
        references=lambda wildcards: [
            f"results/reference/{wildcards.dataset}/{features}.npz"
            for features in features_of(wildcards.dataset)
        ],
        checkpoints=f"{RUN}/checkpoints",
    output:
        metrics=f"{RUN}/metrics.csv",
    log:
        "results/logs/evaluate/{dataset}/{model}/m{m}.log",
    benchmark:
        "results/benchmarks/evaluate/{dataset}/{model}/m{m}.tsv"
    conda:
        "../envs/compute.yaml"
    resources:
        batch_size=BATCH_SIZE,
        mem_mb=8000,
        runtime=120,
    params:
        code=code_with_model("evaluate"),
        samples=EXPERIMENT.evaluation["samples"],
        neighbourhoods=lambda wildcards: neighbourhoods_of(wildcards.dataset),
        seed=EXPERIMENT.evaluation["seed"],
    script:
        "../../scripts/evaluate.py"


rule samplers:
    """Measure samples of a run from its prior, and from a mixture fitted to its codes"""
    input:
        unpack(shown_extractor),
        model=f"{RUN}/model.safetensors",
        train="results/data/{dataset}/train.npy",
        test="results/data/{dataset}/test.npy",
        info="results/data/{dataset}/dataset.json",
        reference=lambda wildcards: (
            f"results/reference/{wildcards.dataset}/{DATASETS[wildcards.dataset].features}.npz"
        ),
    output:
        samplers=f"{RUN}/samplers.csv",
    log:
        "results/logs/samplers/{dataset}/{model}/m{m}.log",
    benchmark:
        "results/benchmarks/samplers/{dataset}/{model}/m{m}.tsv"
    conda:
        "../envs/compute.yaml"
    resources:
        batch_size=BATCH_SIZE,
        mem_mb=8000,
        runtime=120,
    params:
        code=code_with_model("samplers"),
        features=of_dataset("features"),
        samples=EXPERIMENT.evaluation["samples"],
        seed=EXPERIMENT.evaluation["seed"],
    script:
        "../../scripts/samplers.py"


rule covariance:
    """Normalised absolute covariance (eq 18) of encoded test examples"""
    input:
        model=f"{RUN}/model.safetensors",
        test="results/data/{dataset}/test.npy",
        info="results/data/{dataset}/dataset.json",
    output:
        covariance=f"{RUN}/covariance.csv",
    log:
        "results/logs/covariance/{dataset}/{model}/m{m}.log",
    benchmark:
        "results/benchmarks/covariance/{dataset}/{model}/m{m}.tsv"
    conda:
        "../envs/compute.yaml"
    resources:
        batch_size=BATCH_SIZE,
        mem_mb=4000,
        runtime=30,
    params:
        code=code_with_model("covariance"),
    script:
        "../../scripts/covariance.py"


rule samples:
    """Generated, real and reconstructed examples of a run, for looking at"""
    input:
        model=f"{RUN}/model.safetensors",
        test="results/data/{dataset}/test.npy",
        info="results/data/{dataset}/dataset.json",
    output:
        samples=f"{RUN}/samples.csv",
    log:
        "results/logs/samples/{dataset}/{model}/m{m}.log",
    benchmark:
        "results/benchmarks/samples/{dataset}/{model}/m{m}.tsv"
    conda:
        "../envs/compute.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_with_model("samples"),
        seed=EXPERIMENT.evaluation["seed"],
    script:
        "../../scripts/samples.py"


rule gather_metrics:
    """All metrics of all runs in one table"""
    input:
        metrics=runs("metrics.csv", None, EXPERIMENT.plain_models),
    output:
        metrics="results/metrics.csv",
    log:
        "results/logs/gather_metrics.log",
    benchmark:
        "results/benchmarks/gather_metrics.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code_of("gather_metrics"),
    script:
        "../../scripts/gather_metrics.py"
