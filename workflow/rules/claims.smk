"""Claims of the paper: `snakemake claims`.

Input: metrics of the runs that the claims are about, of those that the configuration trains. Output:
results/tables/claims.csv and claims.md, and for each figure and table that shows a claim the lines that its caption
in the report ends with. The rule is there only where the configuration has the section `claims`.
"""

CLAIMS = ["results/tables/claims.csv"] if EXPERIMENT.claims else []

if EXPERIMENT.claims:
    known, images = EXPERIMENT.claims["known"], EXPERIMENT.claims["images"]

    rule claims:
        """Judge every claim of the paper, with intervals over seeds"""
        input:
            metrics=claimed_metrics(known, images),
        output:
            csv="results/tables/claims.csv",
            md="results/tables/claims.md",
            html=report(
                "results/tables/claims.html",
                caption="../report/claims.rst",
                category="Claims",
                labels={"table": "claims"},
            ),
            findings=expand(FINDINGS, figure=records.SHOW_CLAIMS),
        log:
            "results/logs/tables/claims.log",
        benchmark:
            "results/benchmarks/tables/claims.tsv"
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code_of("claims"),
            metric=metrics([*known, *images]),
            titles=titles([*known, *images]),
            presets=presets([*known, *images]),
            setting=setting_words([*known, *images]),
            known={dataset: DATASETS[dataset].source_spec["n"] for dataset in known},
            images={dataset: DATASETS[dataset].capacity for dataset in images},
            thresholds=EXPERIMENT.claims["thresholds"],
        script:
            "../../scripts/claims.py"
