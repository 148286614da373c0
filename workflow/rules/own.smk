"""Your own data: `snakemake own --configfile config/own_data.yaml --config data=PATH`, or `make own DATA=PATH`.

Input: metrics and models of every run on the data set `own`. Output: results/own/ with the summary (summary.md, and
summary.html with its pictures inside), pictures and tables of the best model, and that model for other tools. The
rules are there only where the configuration has a data set of that name.
"""

if OWN in DATASETS:

    rule own_model:
        """Describe the best model of the user's data, and write it for other tools"""
        input:
            metrics=runs("metrics.csv", [OWN], None),
            models=runs("model.safetensors", [OWN], ["maae", "wae"]),
            records=runs("run.json", [OWN], ["maae", "wae"]),
            train=f"results/data/{OWN}/train.npy",
            test=f"results/data/{OWN}/test.npy",
            info=f"results/data/{OWN}/dataset.json",
        output:
            model=directory("results/own/model"),
            portrait="results/own/portrait.json",
            errors="results/own/errors.csv",
            dimensions_csv="results/own/dimensions.csv",
            dimensions_pdf="results/own/dimensions.pdf",
            dimensions="results/own/dimensions.png",
            examples_csv="results/own/examples.csv",
            examples_pdf="results/own/examples.pdf",
            examples="results/own/examples.png",
        log:
            "results/logs/own_model.log",
        benchmark:
            "results/benchmarks/own_model.tsv"
        conda:
            "../envs/compute.yaml"
        resources:
            mem_mb=4000,
            runtime=20,
        params:
            code=code_of(
                "own_model", model_classes(OWN, "wae") + model_classes(OWN, "maae")
            ),
            metric=DATASETS[OWN].metric,
            presets=presets([OWN]),
            seed=EXPERIMENT.evaluation["seed"],
        script:
            "../../scripts/own_model.py"

    rule own:
        """Say how many dimensions the user's data need, how sure that is, and which model to use"""
        input:
            metrics=runs("metrics.csv", [OWN], None),
            records=runs("run.json", [OWN], ["maae", "wae"]),
            info=f"results/data/{OWN}/dataset.json",
            model=rules.own_model.output.model,
            portrait=rules.own_model.output.portrait,
            errors=rules.own_model.output.errors,
            dimensions_csv=rules.own_model.output.dimensions_csv,
            dimensions=rules.own_model.output.dimensions,
            examples=rules.own_model.output.examples,
            figures=[path.replace(".pdf", ".png") for path in FIGURES],
        output:
            summary="results/own/summary.md",
            html="results/own/summary.html",
        log:
            "results/logs/own.log",
        benchmark:
            "results/benchmarks/own.tsv"
        conda:
            "../envs/compute.yaml"
        resources:
            mem_mb=4000,
            runtime=10,
        params:
            code=code_of("own_summary"),
            metric=DATASETS[OWN].metric,
            presets=presets([OWN]),
        script:
            "../../scripts/own_summary.py"
