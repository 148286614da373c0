"""Every key of a configuration: its type and bounds, its default, and below it what it means.

The constants of the method and the length of a run are described in `maskaae.method.presets`, the keys of
each data source with the source. After a change, `make docs` writes the JSON schema and the table of keys.

Provenance: [code] the released script, [text] the paper, [inferred], [our choice] found nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WrapValidator, create_model

from maskaae.config.schema import (
    Distinct,
    OrAuto,
    Section,
    Some,
    SomeDistinct,
    SomeOf,
    Values,
    as_written,
)
from maskaae.method.presets import Count, Hyperparameters, Preset, TrainingPlan
from maskaae.report.records import FIGURES, TABLES, Asks, Record

Features = Literal["raw", "classifier", "inception"]
Seed = Annotated[int, Field(ge=0)]
NonNegative = Annotated[float, Field(ge=0), WrapValidator(as_written)]
Positive = Annotated[float, Field(gt=0), WrapValidator(as_written)]
Fraction = Annotated[float, Field(ge=0, le=1), WrapValidator(as_written)]
ProperFraction = Annotated[float, Field(gt=0, lt=1)]
Names = SomeDistinct[str]
Capacities = SomeDistinct[Count]
VariantName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$(?!\n)")]


class Evaluation(Section):
    """How trained models are measured."""

    samples: Annotated[int, Field(ge=2)] = 10_000
    """generated samples per model; it is part of the metric's name"""
    seed: Seed = 0
    """seed of the noise that samples are made from"""
    batch_size: Count = 2000
    """samples decoded at a time"""
    neighbourhoods: Distinct[Features] = ["inception"]
    """feature spaces in which KID, precision and recall are measured too, wherever a data set is measured in
    them"""


class Normalisation(Section):
    """What follows each convolution."""

    normalisation: Literal["batch", "group", "none"] = "batch"
    """kind `convolutional`: what follows each convolution, `batch` as in WAE and TwoStageVAE [our choice],
    `group` (groups of 16 channels) or `none`"""
    batch_momentum: Fraction = 0.1
    """normalisation `batch`: share of a new batch in the running statistics that evaluation uses; 0 leaves
    them as they start [our choice]"""


class Network(Normalisation):
    """Encoder, decoder and critic."""

    kind: Literal["mlp", "convolutional", "auto"] = "mlp"
    """encoder and decoder: `mlp` [code], or `convolutional` for images [our choice]; the critic is an MLP.
    `auto`: convolutional for images of 16 x 16 or more, with channels that suit their size and the device
    [our choice]"""
    hidden: Some[Count] = [128, 128, 128]
    """kind `mlp`: hidden layers of the encoder; the decoder has them in reverse"""
    channels: Some[Count] = [128, 256, 512, 1024]
    """kind `convolutional`: channels after each 5x5 convolution of the encoder, which halves the image; the
    decoder has them in reverse. The default is that of WAE and TwoStageVAE [our choice]"""
    critic_hidden: Some[Count] = [128, 128, 128]
    """hidden layers of the critic, whatever the kind"""


class Tuning(Section):
    """Hyper-parameters of a model to choose; further keys are theirs (`vae.variance`), each with a list."""

    model_config = ConfigDict(extra="ignore")

    capacity: Count
    """capacity that candidates are compared at; the other keys are lists of values to try"""


class DatasetKeys(Section):
    """A data set, and what is trained on it; further keys are those of its source."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(pattern=r"^(?!raw$)[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)", max_length=100)]
    """name in paths; `raw` is taken by the folder of downloads"""
    source: str
    """where it comes from; further keys are the source's own (docs/data.md). `auto`: `images`, `table` or
    `array`, by the name at `path`"""
    title: str | None = None
    """name in figures; null: its name"""
    capacities: OrAuto[dict[str, Capacities]]
    """capacities m (assumed latent dimensions) to train, by model: a list for each name, of those in
    src/maskaae/models/catalogue.py; `{}` trains nothing. `auto`, for your own data: a quarter, half and all
    of min(D, 32), for wae and maae [our choice]"""
    capacity: Count | None = None
    """the capacity shown where a figure or table has room for one (figures 6 and 10-13, table 2)"""
    tuning: dict[str, Tuning] = {}
    """hyper-parameters that no published value fits: for a model, the `capacity` to try them at, and lists of
    values by key (`vae.variance`). The lowest Fréchet distance to a validation part of the training split
    decides"""
    features: Features = "raw"
    """feature space of the FID that is shown: `raw` values, a `classifier` trained on the data set's labels,
    or `inception`"""
    preset: Preset | None = None
    """preset of this data set; null: the one above"""
    hyperparameters: Annotated[Values, SomeOf(Hyperparameters)] = {}
    """constants that replace those above, on this data set"""
    training: Annotated[Values, SomeOf(TrainingPlan)] = {}
    """what differs on this data set"""
    network: Network = Network()


class Variant(Section):
    """Changes to the settings that a data set trains MaskAAE with."""

    title: str | None = None
    """name in figures; null: its name"""
    base: str | None = None
    """variant whose changes come first; null: the data set's own settings"""
    preset: Preset | None = None
    """preset in place of the data set's own, before any other change; null keeps it"""
    hyperparameters: Annotated[Values, SomeOf(Hyperparameters)] = {}
    """constants that differ"""
    network: Annotated[Values, SomeOf(Normalisation)] = {}
    """keys of `network` that differ"""
    training: Annotated[Values, SomeOf(TrainingPlan)] = {}
    """keys of `training` that differ"""


class Comparison(Section):
    """Runs on one data set that differ in a variant."""

    title: str
    """heading in figure and table"""
    dataset: str
    """data set"""
    capacities: Capacities
    """capacities to train every run at"""
    base: str | None = None
    """variant that the others differ from; null: the data set's own settings"""
    variants: Distinct[str] = []
    """variants to show; each must have this `base`"""
    references: Distinct[Literal["wae"]] = []
    """other models to show in the same setting"""
    thresholds: Distinct[ProperFraction] = []
    """thresholds of "active" to count the base's dimensions with again"""


class Dimensions(Section):
    """Ways of finding the dimension side by side."""

    datasets: Names
    """data sets of known n"""
    examples: Annotated[int, Field(ge=200)] = 2000
    """training examples that the estimators see, other ones for each seed"""


class CountFamilies(Section):
    """Data sets of known n on which the dimensions are counted as `maskaae count` does."""

    judging: Names
    """data sets that the count is judged on; no setting may be chosen by looking at them"""
    choosing: Distinct[str] = []
    """data sets that settings may be chosen on (`snakemake count_families_choosing`)"""


class Thresholds(Section):
    """From where on an effect counts; chosen before any result was looked at [our choice]."""

    rise: Positive = 0.1
    """a distance or error is higher if it is so by this share"""
    margin: Positive = 0.05
    """two distances are equal within this share"""
    count_error: NonNegative = 1
    """a count is nearly n if it is on average no further away"""
    count_range: NonNegative = 2
    """counts are about the same if they are no further apart"""
    settled: ProperFraction = 0.1
    """something is at its lowest, or has settled, within this share of its range over training"""
    divergence: NonNegative = 1
    """nats by which the codes' divergence from the prior grows above n, at least"""


class Claims(Section):
    """Which data sets the paper's claims are judged on, and from where on an effect counts."""

    known: Distinct[str] = []
    """data sets of known n, for claims (a), (b), (c) and (h)"""
    images: Distinct[str] = []
    """data sets of images, for claims (d) to (g)"""
    thresholds: Thresholds = Thresholds()


class Run(Section):
    """Runs of one model on one data set."""

    dataset: str
    """data set"""
    capacities: Capacities
    """capacities to show"""


TAKES: Mapping[Asks, Any] = {
    Asks.DATASETS: Names,
    Asks.DATASET: str,
    Asks.CAPACITIES: Annotated[dict[str, Count], Field(min_length=1)],
    Asks.RUNS: Run,
    Asks.NOTHING: bool,
}


class Shown(Section):
    """A section that is made of records, not written here."""

    model_config = ConfigDict(use_attribute_docstrings=False)  # there is no source to look for them in


def shown_by(name: str, records: Mapping[str, Record]) -> type[Section]:
    """Make a section with a key for each figure or table; None stands for one that is absent."""
    keys: dict[str, Any] = {}
    for record in records.values():
        default = True if record.asks == Asks.NOTHING else None
        keys[record.name] = (TAKES[record.asks], Field(default, description=record.description))
    return create_model(name, __base__=Shown, __doc__=f"What each of the {name.lower()} shows.", **keys)


class Configuration(Section):
    """An experiment."""

    data: Annotated[str, Field(min_length=1)] | None = None
    """your data: path of a folder of images, a table or an array; becomes `path` of the data set named `own`.
    Usually given on the command line: `make own DATA=path`"""
    options: Values = {}
    """further keys of the data set named `own` (docs/data.md), and `label` for its classes, whatever the
    source. Usually given on the command line: `make own DATA=path DROP=... LABEL=... MISSING=...`"""
    seeds: SomeDistinct[Seed] = [0, 1, 2, 3, 4]
    """seeds; every run trains one model for each, all at once"""
    preset: Preset = "paper"
    """constants of the method: `paper` (the released script's) or `robust` (ours)"""
    hyperparameters: Annotated[Values, SomeOf(Hyperparameters)] = {}
    """constants that replace those of the preset; the defaults here are those of `paper`"""
    training: Annotated[Values, SomeOf(TrainingPlan)] = {}
    """length and intervals of a run"""
    evaluation: Evaluation = Evaluation()
    datasets: Some[DatasetKeys]
    """data sets, each with what is trained on it"""
    figures: Annotated[Values, SomeOf(shown_by("Figures", FIGURES))] = {}
    """what each figure shows; a figure that is absent is not drawn, but for `fig7`, which needs nothing"""
    tables: Annotated[Values, SomeOf(shown_by("Tables", TABLES))] = {}
    """what each table shows; a table that is absent is not made"""
    on_request: Distinct[str] = []
    """figures and tables that plain `snakemake` leaves out, with the models that only they show;
    `snakemake NAME` makes them"""
    variants: dict[VariantName, Variant] = {}
    """MaskAAE with some settings changed, by name; what a comparison below names is trained into the folder
    `maae-<name>`"""
    ablations: list[Comparison] = []
    """what each change does to count and distance (`snakemake ablations`): groups of runs"""
    why_it_fails: list[Comparison] = []
    """what breaks MaskAAE, and what does not (`snakemake why_it_fails`): groups of runs"""
    dimensions: Dimensions | None = None
    """ways of finding the dimension side by side (`snakemake dimensions`): estimators that train nothing, and
    the count of every model that is trained at the largest of its capacities; null: not at all"""
    count_families: CountFamilies | None = None
    """whether the count of dimensions holds on data that it was not chosen on (`snakemake count_families`);
    null: not at all"""
    claims: Claims | None = None
    """the paper's claims, judged (`snakemake claims`): which data sets they are judged on, and from where on
    an effect counts; null: not at all"""
