"""Whether the count of dimensions holds on data that it was not chosen on: `snakemake count_families`.

Input: data sets of known n. Output: results/counts/{dataset}.json with the answer that `maskaae count` gives on each,
one job a data set, so that a run that was stopped goes on with the next one; and the comparison with n as a table and
a figure, of the data sets for judging, and on request of those for choosing (`snakemake count_families_choosing`).
The rules are there only where the configuration has the section `count_families`.
"""

COUNT_FAMILIES = (
    ["results/tables/count_families.csv"] if EXPERIMENT.count_families else []
)


if EXPERIMENT.count_families:

    rule count_family:
        """Count the dimensions of a data set as `maskaae count` does"""
        input:
            train="results/data/{dataset}/train.npy",
            info="results/data/{dataset}/dataset.json",
        output:
            answer="results/counts/{dataset}.json",
        log:
            "results/logs/counts/{dataset}.log",
        benchmark:
            "results/benchmarks/counts/{dataset}.tsv"
        conda:
            "../envs/compute.yaml"
        resources:
            mem_mb=4000,
            runtime=120,
        params:
            code=code_of("count_family"),
            seeds=EXPERIMENT.seeds,
        script:
            "../../scripts/count_family.py"

    for part, table in [
        ("judging", "count_families"),
        ("choosing", "count_families_choosing"),
    ]:
        counted = EXPERIMENT.count_families[part]
        if not counted:
            continue

        rule:
            name:
                table
            input:
                answers=expand("results/counts/{dataset}.json", dataset=counted),
                info=infos(counted),
            output:
                table=f"results/tables/{table}.csv",
                md=f"results/tables/{table}.md",
                html=report(
                    f"results/tables/{table}.html",
                    caption="../report/count_families.rst",
                    category="Tables",
                    labels={"table": table},
                ),
                csv=f"results/figures/{table}.csv",
                pdf=f"results/figures/{table}.pdf",
                png=report(
                    f"results/figures/{table}.png",
                    caption="../report/count_families.rst",
                    category="Figures",
                    labels={"figure": table},
                ),
            log:
                f"results/logs/tables/{table}.log",
            benchmark:
                f"results/benchmarks/tables/{table}.tsv"
            conda:
                "../envs/report.yaml"
            resources:
                mem_mb=2000,
                runtime=10,
            params:
                code=code_of("count_families"),
            script:
                "../../scripts/count_families.py"

        describe(rules, table, f"Compare counts with n on the data sets for {part}")
