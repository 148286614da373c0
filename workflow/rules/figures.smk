"""Figures.

Input: metrics, histories, covariances or samples of the runs that a figure shows. Output: results/figures/
with a pdf, a png and the csv that was drawn. Each figure that the configuration asks for has a rule of its
name, so that `snakemake fig4` makes it and what it needs, and no more.
"""


def metrics_against_capacity(models):
    """Figures 1 and 4: metrics of some models at all capacities, on the data sets asked for."""
    return lambda asked: {
        "metrics": runs("metrics.csv", asked, models),
        "info": infos(asked),
    }


def covariances(asked):
    """Figures 10 to 13: WAE and MAAE side by side on one data set."""
    return {
        "covariance": shown("covariance.csv", [asked], ["wae", "maae"]),
        "info": infos([asked]),
    }


def over_training(asked):
    """Figures 5 and 8: history and metrics of MAAE at some capacities of one data set."""
    dataset, capacities = [asked["dataset"]], asked["capacities"]
    return {
        "history": runs("history.csv", dataset, ["maae"], capacities),
        "metrics": runs("metrics.csv", dataset, ["maae"], capacities),
        "info": infos(dataset),
    }


FIGURE_INPUTS = {
    "fig1": metrics_against_capacity(["wae"]),
    "fig4": metrics_against_capacity(["wae", "maae"]),
    "fig5": over_training,
    "fig6": lambda asked: {
        "samples": shown("samples.csv", asked, ["maae"]),
        "info": infos(asked),
    },
    "fig7": lambda asked: {},
    "fig8": over_training,
    "fig9": lambda asked: {"info": infos([asked])},
    **{f"fig{number}": covariances for number in (10, 11, 12, 13)},
}
FIGURE_PARAMS = {
    "fig5": lambda asked: {
        "threshold": DATASETS[asked["dataset"]].hyperparameters.activity_threshold
    },
}
FIGURE_SCRIPTS = {f"fig{number}": "fig10" for number in (10, 11, 12, 13)}
ASKED_FIGURES = {name: asked for name, asked in EXPERIMENT.figures.items() if asked}
FIGURES = [f"results/figures/{name}.pdf" for name in ASKED_FIGURES]

for figure, asked in ASKED_FIGURES.items():

    rule:
        name:
            figure
        input:
            **FIGURE_INPUTS[figure](asked),
            modules=modules("figures"),
        output:
            csv=f"results/figures/{figure}.csv",
            pdf=f"results/figures/{figure}.pdf",
            png=report(
                f"results/figures/{figure}.png",
                caption=f"../report/{FIGURE_SCRIPTS.get(figure, figure)}.rst",
                category="Figures",
                labels={"figure": figure},
            ),
        log:
            f"results/logs/figures/{figure}.log",
        benchmark:
            f"results/benchmarks/figures/{figure}.tsv"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            **FIGURE_PARAMS.get(figure, lambda asked: {})(asked),
            script=FIGURE_SCRIPTS.get(figure, figure),
            metric=metrics(DATASETS),
            titles=titles(DATASETS),
        message:
            f"Drawing {figure}"
        script:
            "../../scripts/{params.script}.py"
