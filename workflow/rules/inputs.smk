"""Input functions: from wildcards, or from what the configuration asks for, to the files that are needed."""

from maskaae.data.registry import SOURCES, input_paths
from maskaae.report.claims.shown import FIGURES as CLAIM_FIGURES

EVALUATION_MODULES = ("evaluation", "method", "models", "networks")
REPORT_MODULES = (
    "report/figures",
    "report/names.py",
    "report/selection.py",
    "report/statistics.py",
)
FEATURE_MODULES = tuple(
    f"evaluation/{name}.py"
    for name in ("classifier", "examples", "features", "frechet", "inception")
)


def datasets_of(source):
    """Wildcard constraint: the data sets of one source; a name that cannot be, where it has none."""
    names = [d.name for d in DATASETS.values() if d.source_spec["source"] == source]
    return "|".join(names) or "-"


def raw_data(source):
    """Input function: the files that a data set is prepared from; none where it comes with a package."""
    if source.raw_files:
        return lambda wildcards: [f"results/data/raw/{source.name}.json"]
    return lambda wildcards: input_paths(DATASETS[wildcards.dataset].source_spec)


def module_file(source):
    """Source file, in the package, of the module that prepares a source."""
    return Path(*source.module.split(".")[1:]).with_suffix(".py").as_posix()


def neighbourhoods_of(dataset):
    """Feature spaces of a data set in which KID, precision and recall are measured too."""
    asked = EXPERIMENT.evaluation["neighbourhoods"]
    return [features for features in features_of(dataset) if features in asked]


def learned_extractors(wildcards):
    """Weights of the feature extractors of a data set, by their name; raw values need none."""
    files = {
        "classifier": f"results/reference/{wildcards.dataset}/classifier.safetensors",
        "inception": "results/reference/inception.pth",
    }
    return {
        features: files[features]
        for features in features_of(wildcards.dataset)
        if features in files
    }


def learned_extractor(wildcards):
    """Weights of the extractor of one feature space."""
    weights = learned_extractors(wildcards)
    return {name: path for name, path in weights.items() if name == wildcards.features}


def candidates_of(wildcards):
    """What is tried out, for the model of the wildcards."""
    return DATASETS[wildcards.dataset].tuning[wildcards.model]


def tuned(wildcards):
    """Table of the tuning whose result a training uses; nothing where there is none."""
    if wildcards.model not in DATASETS[wildcards.dataset].tuning:
        return {}
    return {"tuning": f"results/tuning/{wildcards.dataset}/{wildcards.model}.csv"}


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


def at_capacity(name, asked):
    """A file of every model that is trained on some data sets, at the capacity given for each."""
    return [
        f"results/runs/{dataset}/{model}/m{m}/{name}"
        for dataset, m in asked.items()
        for model in DATASETS[dataset].models_at(m)
    ]


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
    "cuts": lambda asked: {
        "history": shown("history.csv", asked, ["maae"]),
        "info": infos(asked),
    },
    "models_over_capacity": metrics_against_capacity(None),
    "model_samples": lambda asked: {
        "samples": at_capacity("samples.csv", asked),
        "info": infos(asked),
    },
}
FIGURE_PARAMS = {
    "fig5": lambda asked: {
        "threshold": DATASETS[asked["dataset"]].hyperparameters.activity_threshold
    },
    "cuts": lambda asked: {
        "longest": {
            name: DATASETS[name].hyperparameters.search_windows[-1].longest
            for name in asked
        }
    },
}
FIGURE_SCRIPTS = {f"fig{number}": "fig10" for number in (10, 11, 12, 13)}


FINDINGS = "results/tables/findings/{figure}.rst"


def findings(figure):
    """Parameter for a caption, read when the report is made: where the lines of a figure or table are."""
    if EXPERIMENT.claims and figure in CLAIM_FIGURES:
        return {"findings": Path(FINDINGS.format(figure=figure))}
    return {}


def claimed_metrics(known, images):
    """Metrics of WAE and MAAE at all capacities, and of all models at the capacity that image sets show.

    Models that only figures and tables on request show are left out, as plain `snakemake` leaves them out.
    """
    others = [
        path
        for dataset in images
        for path in runs(
            "metrics.csv",
            [dataset],
            EXPERIMENT.plain_models,
            [DATASETS[dataset].capacity],
        )
    ]
    return sorted({*runs("metrics.csv", [*known, *images], ["wae", "maae"]), *others})


def at_largest_capacity(name, datasets):
    """A file of every model of some data sets but WAE, which counts nothing, at its largest capacity."""
    return [
        f"results/runs/{dataset}/{model}/m{max(capacities)}/{name}"
        for dataset in datasets
        for model, capacities in DATASETS[dataset].capacities.items()
        if model != "wae"
    ]
