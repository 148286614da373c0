"""Input functions: from wildcards, or from what the configuration asks for, to the files that are needed."""

from types import SimpleNamespace

from maskaae.data import registry
from maskaae.data.registry import SOURCES, input_paths
from maskaae.report import freshness, records


def datasets_of(source):
    """Wildcard constraint: the data sets of one source; a name that cannot be, where it has none."""
    names = [d.name for d in DATASETS.values() if d.source_spec["source"] == source]
    return "|".join(names) or "-"


def setting_words(datasets):
    """Preset, networks, length and seeds of some data sets in a line, for captions; empty without any."""
    found = freshness.setting_of(EXPERIMENT, list(datasets))
    return found.words() if found.datasets else ""


def raw_data(source):
    """Input function: the files that a data set is prepared from; none where it comes with a package."""
    if source.raw_files:
        return lambda wildcards: local(f"{RAW}/{source.name}.json")
    return lambda wildcards: [
        local(path) for path in input_paths(DATASETS[wildcards.dataset].source_spec)
    ]


def verifies(source):
    """Parameter: whether published files are checked; not where a data set takes them on the user's word."""
    specs = [entry.source_spec for entry in DATASETS.values()]
    return all(spec["verify"] for spec in specs if spec["source"] == source)


def neighbourhoods_of(dataset):
    """Feature spaces of a data set in which KID, precision and recall are measured too."""
    asked = EXPERIMENT.evaluation["neighbourhoods"]
    return [features for features in features_of(dataset) if features in asked]


def classifier_of(dataset):
    """Weights of the classifier that measures a data set: one for all that hold the same data under other names."""
    data = {**DATASETS[dataset].source_spec, "name": None}
    first = next(
        name
        for name, entry in DATASETS.items()
        if {**entry.source_spec, "name": None} == data
    )
    return f"results/reference/{first}/classifier.safetensors"


def learned_extractors(wildcards):
    """Weights of the feature extractors of a data set, by their name; raw values need none."""
    files = {
        "classifier": classifier_of(wildcards.dataset),
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


def shown_extractor(wildcards):
    """Weights of the extractor of the feature space that a data set's figures show."""
    weights = learned_extractors(wildcards)
    shown = DATASETS[wildcards.dataset].features
    return {name: path for name, path in weights.items() if name == shown}


def candidates_of(wildcards):
    """What is tried out, for the model of the wildcards."""
    return DATASETS[wildcards.dataset].tuning[wildcards.model]


def tuned(wildcards):
    """Table of the tuning whose result a training uses; nothing where there is none."""
    if wildcards.model not in DATASETS[wildcards.dataset].tuning:
        return {}
    return {"tuning": f"results/tuning/{wildcards.dataset}/{wildcards.model}.csv"}


def shown_files(record, asked):
    """Input of a figure or table: files of the runs that its record names, and its data sets' dataset.json."""
    wanted = record.wanted(asked)
    files = {
        name: [
            f"results/runs/{dataset}/{model}/m{m}/{runs.file}"
            for dataset, model, m in runs.of(wanted, DATASETS)
        ]
        for name, runs in record.runs.items()
    }
    return {**files, "info": infos(wanted)} if wanted else files


def settings(record, asked):
    """Hyper-parameters that the script of a figure or table needs, of each data set that it shows."""
    return {
        name: {
            dataset: setting(DATASETS[dataset].hyperparameters)
            for dataset in record.wanted(asked)
        }
        for name, setting in record.settings.items()
    }


def job_params(script):
    """What a rule in a loop calls `params` outside of itself.

    Snakemake reads `script:` when it meets the rule, and again in a job, where the loop is over and `params` are
    those of the rule: so both name the same script, and archives, containers and reports find it.
    """
    return SimpleNamespace(script=script)


FINDINGS = "results/tables/findings/{figure}.rst"


def findings(record):
    """Parameter for a caption, read when the report is made: where the lines of a figure or table are."""
    if EXPERIMENT.claims and record.claims:
        path = FINDINGS.format(figure=record.name).removeprefix("results/")
        return {
            "findings": lambda wildcards, output: Path(output.csv).parents[1] / path
        }
    return {}


def claimed_metrics(known, images):
    """Metrics of MAAE and both WAEs at all capacities, and of all models at the capacity that image sets show.

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
    return sorted(
        {
            *runs("metrics.csv", [*known, *images], ["wae", "wae_nested", "maae"]),
            *others,
        }
    )


def at_largest_capacity(name, datasets):
    """A file of every model of some data sets but WAE, which counts nothing, at its largest capacity."""
    return [
        f"results/runs/{dataset}/{model}/m{max(capacities)}/{name}"
        for dataset in datasets
        for model, capacities in DATASETS[dataset].capacities.items()
        if model != "wae"
    ]
