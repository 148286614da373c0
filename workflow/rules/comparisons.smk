"""Comparisons of variants: `snakemake ablations` and `snakemake why_it_fails`.

Input: metrics and histories of the runs that the configuration's section of that name lists. Output: a table in
results/tables/ and a figure in results/figures/. The rules are there only where the configuration has the section.
"""

COMPARISONS = [
    f"results/tables/{comparison}.csv" for comparison in EXPERIMENT.comparisons
]


def compared(name, groups, kinds=("base", "change", "reference")):
    """A file of every run of some groups, each once."""
    return sorted(
        {
            f"results/runs/{group.dataset}/{row.label}/m{m}/{name}"
            for group in groups
            for row in group.rows
            for m in group.capacities
            if row.kind in kinds
        }
    )


for comparison, groups in EXPERIMENT.comparisons.items():

    rule:
        name:
            comparison
        input:
            metrics=compared("metrics.csv", groups),
            history=compared("history.csv", groups, ["base"]),
            info=infos(sorted({group.dataset for group in groups})),
        output:
            table=f"results/tables/{comparison}.csv",
            md=f"results/tables/{comparison}.md",
            html=report(
                f"results/tables/{comparison}.html",
                caption=f"../report/{comparison}.rst",
                category="Tables",
                labels={"table": comparison},
            ),
            csv=f"results/figures/{comparison}.csv",
            pdf=f"results/figures/{comparison}.pdf",
            png=report(
                f"results/figures/{comparison}.png",
                caption=f"../report/{comparison}.rst",
                category="Figures",
                labels={"figure": comparison},
            ),
        log:
            f"results/logs/tables/{comparison}.log",
        benchmark:
            f"results/benchmarks/tables/{comparison}.tsv"
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code_of("comparison"),
            groups=[asdict(group) for group in groups],
            metric=metrics(sorted({group.dataset for group in groups})),
            presets=presets(sorted({group.dataset for group in groups})),
            setting=setting_words(sorted({group.dataset for group in groups})),
        script:
            "../../scripts/comparison.py"

    describe(rules, comparison, f"Compare the variants of {comparison} with their base")
