"""Ways of finding the dimension, side by side: `snakemake dimensions`.

Input: data sets of known n, and the runs of every model that is trained on them, each at its largest capacity.
Output: results/dimensions/{dataset}.csv with what estimators on neighbours and FLIPD say, and the comparison as a table and
a figure. The rules are there only where the configuration has the section `dimensions`.
"""

DIMENSIONS = ["results/tables/dimensions.csv"] if EXPERIMENT.dimensions else []


if EXPERIMENT.dimensions:
    compared_datasets = EXPERIMENT.dimensions["datasets"]

    rule intrinsic_dimension:
        """Estimate the dimension of a data set without an auto-encoder"""
        input:
            train="results/data/{dataset}/train.npy",
            info="results/data/{dataset}/dataset.json",
        output:
            estimates="results/dimensions/{dataset}.csv",
        log:
            "results/logs/dimensions/{dataset}.log",
        benchmark:
            "results/benchmarks/dimensions/{dataset}.tsv"
        conda:
            "../envs/compute.yaml"
        resources:
            mem_mb=3000,
            runtime=60,
        params:
            code=code_of("intrinsic_dimension"),
            seeds=EXPERIMENT.seeds,
            examples=EXPERIMENT.dimensions["examples"],
        script:
            "../../scripts/intrinsic_dimension.py"

    rule dimensions:
        """Compare ways of finding the dimension on data of known n"""
        input:
            estimates=expand(
                "results/dimensions/{dataset}.csv", dataset=compared_datasets
            ),
            metrics=at_largest_capacity("metrics.csv", compared_datasets),
            records=at_largest_capacity("run.json", compared_datasets),
            info=infos(compared_datasets),
        output:
            table="results/tables/dimensions.csv",
            md="results/tables/dimensions.md",
            html=report(
                "results/tables/dimensions.html",
                caption="../report/dimensions.rst",
                category="Tables",
                labels={"table": "dimensions"},
            ),
            csv="results/figures/dimensions.csv",
            pdf="results/figures/dimensions.pdf",
            png=report(
                "results/figures/dimensions.png",
                caption="../report/dimensions.rst",
                category="Figures",
                labels={"figure": "dimensions"},
            ),
        log:
            "results/logs/tables/dimensions.log",
        benchmark:
            "results/benchmarks/tables/dimensions.tsv"
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code_of("dimensions"),
            metric=metrics(compared_datasets),
            titles=titles(compared_datasets),
            presets=presets(compared_datasets),
            setting=setting_words(compared_datasets),
        script:
            "../../scripts/dimensions.py"
