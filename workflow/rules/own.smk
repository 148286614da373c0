"""Your own data: `snakemake own --configfile config/own_data.yaml --config data=PATH`, or `make own DATA=PATH`.

Input: metrics and models of every run on the data set `own`. Output: results/own/ with summary.md, and real,
reconstructed and generated examples of the best model. The rule is there only where the configuration has a data
set of that name.
"""

if OWN in DATASETS:

    rule own:
        """Say how many dimensions the user's data need, and which model to use"""
        input:
            metrics=runs("metrics.csv", [OWN], None),
            models=runs("model.safetensors", [OWN], ["maae", "wae"]),
            records=runs("run.json", [OWN], ["maae", "wae"]),
            test=f"results/data/{OWN}/test.npy",
            info=f"results/data/{OWN}/dataset.json",
            figures=[path.replace(".pdf", ".png") for path in FIGURES],
        output:
            summary="results/own/summary.md",
            csv="results/own/examples.csv",
            pdf="results/own/examples.pdf",
            png="results/own/examples.png",
        log:
            "results/logs/own.log",
        benchmark:
            "results/benchmarks/own.tsv"
        resources:
            mem_mb=4000,
            runtime=10,
        params:
            code=code_of(
                "own_summary", model_classes(OWN, "wae") + model_classes(OWN, "maae")
            ),
            metric=DATASETS[OWN].metric,
            presets=presets([OWN]),
            seed=EXPERIMENT.evaluation["seed"],
        script:
            "../../scripts/own_summary.py"
