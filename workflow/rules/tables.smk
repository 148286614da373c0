"""Tables.

Input: metrics of the runs that a table shows. Output: results/tables/ with csv, Markdown and LaTeX. As with
figures, each table that the configuration asks for has a rule of its name.
"""

TABLE_INPUTS = {
    "table1": lambda asked: {
        "metrics": at_capacity("metrics.csv", asked),
        "records": at_capacity("run.json", asked),
    },
    "table2": lambda asked: {
        "metrics": shown("metrics.csv", asked, ["wae", "maae"]),
        "counts": runs("metrics.csv", asked, ["maae"]),
        "info": infos(asked),
    },
}
TABLES = [
    f"results/tables/{table}.csv"
    for table in EXPERIMENT.tables
    if table not in EXPERIMENT.on_request
]

for table, asked in EXPERIMENT.tables.items():

    rule:
        name:
            table
        input:
            **TABLE_INPUTS[table](asked),
            modules=modules(
                *REPORT_MODULES,
                "report/markup.py",
                "report/table1.py",
                "report/table2.py",
                "evaluation/counts.py",
            ),
        output:
            csv=f"results/tables/{table}.csv",
            md=report(
                f"results/tables/{table}.md",
                caption=f"../report/{table}.rst",
                category="Tables",
                labels={"table": table},
            ),
            tex=f"results/tables/{table}.tex",
        log:
            f"results/logs/tables/{table}.log",
        benchmark:
            f"results/benchmarks/tables/{table}.tsv"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            **findings(table),
            script=table,
            metric=metrics(DATASETS),
            titles=titles(DATASETS),
        message:
            f"Writing {table}"
        script:
            "../../scripts/{params.script}.py"
