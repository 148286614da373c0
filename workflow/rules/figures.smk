"""Figures.

Input: metrics, histories, covariances or samples of the runs that a figure's record names
(maskaae.report.records). Output: results/figures/ with a pdf, a png and the csv that was drawn. Each figure that the
configuration asks for has a rule of its name, so that `snakemake fig4` makes it and what it needs, and no more.
"""

ASKED_FIGURES = {name: asked for name, asked in EXPERIMENT.figures.items() if asked}
FIGURES = [
    f"results/figures/{name}.pdf"
    for name in ASKED_FIGURES
    if name not in EXPERIMENT.on_request
]

for figure, asked in ASKED_FIGURES.items():
    record = records.FIGURES[figure]
    params = job_params(record.script)

    rule:
        name:
            figure
        input:
            **shown_files(record, asked),
        output:
            csv=f"results/figures/{figure}.csv",
            pdf=f"results/figures/{figure}.pdf",
            png=report(
                f"results/figures/{figure}.png",
                caption=f"../report/{record.caption}.rst",
                category="Figures",
                labels={"figure": figure},
            ),
        log:
            f"results/logs/figures/{figure}.log",
        benchmark:
            f"results/benchmarks/figures/{figure}.tsv"
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            **settings(record, asked),
            **findings(record),
            code=code_of(record.script),
            script=record.script,
            metric=metrics(record.wanted(asked)),
            titles=titles(record.wanted(asked)),
            presets=presets(record.wanted(asked)),
            setting=setting_words(record.wanted(asked)),
        script:
            f"../../scripts/{params.script}.py"

    describe(rules, figure, record.description)
