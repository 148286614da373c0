"""Snakemake's own report: `snakemake --report results/report.html`, or `make report`.

The figures and tables carry their captions from workflow/report/.
"""


report: "../report/workflow.rst"
