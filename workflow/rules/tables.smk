"""Tables.

Input: files of the runs that a table's record names (maskaae.report.records). Output: results/tables/ with csv,
Markdown and LaTeX. As with figures, each table that the configuration asks for has a rule of its name.
"""

TABLES = [
    f"results/tables/{table}.csv"
    for table in EXPERIMENT.tables
    if table not in EXPERIMENT.on_request
]

for table, asked in EXPERIMENT.tables.items():
    record = records.TABLES[table]
    params = job_params(record.script)

    rule:
        name:
            table
        input:
            **shown_files(record, asked),
        output:
            csv=f"results/tables/{table}.csv",
            md=f"results/tables/{table}.md",
            html=report(
                f"results/tables/{table}.html",
                caption=f"../report/{record.caption}.rst",
                category="Tables",
                labels={"table": table},
            ),
            tex=f"results/tables/{table}.tex",
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

    describe(rules, table, record.description)
