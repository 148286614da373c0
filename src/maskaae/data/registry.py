"""Every source of data by name: its keys in the config, what is known about it, and how to prepare it.

The Snakefile imports this module while it is parsed, so only the standard library is imported here; a
source's own module is imported when it prepares something.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from maskaae.data.dataset import DatasetInfo

Spec = Mapping[str, Any]
Description = tuple[Literal["images", "vectors"] | None, int | None]

_ANY_INTEGER_SEED = {"type": "integer", "minimum": 0, "default": 0}


def _no_further_check(spec: Spec) -> None:
    """Accept a spec whose keys are all that there is to check."""


@dataclass(frozen=True)
class Source:
    """A place where data sets come from.

    Attributes
    ----------
    name : str
        Its name in the config (`source: name`).
    description : str
        One line for the docs.
    module : str
        The module whose `prepare` writes the data set.
    spec_schema : dict
        JSON schema of the source's own keys: `properties` (each with description, type and, unless required,
        default) and `required`.
    describe : callable
        From a resolved spec to `(kind, dimension)`, each None where only the data can tell.
    check : callable
        Raises ValueError where the values of a spec contradict each other.
    """

    name: str
    description: str
    module: str
    spec_schema: Mapping[str, Any]
    describe: Callable[[Spec], Description]
    check: Callable[[Spec], None] = _no_further_check

    def prepare(self, spec: Spec, raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
        """Write the data set that `spec` describes.

        Parameters
        ----------
        spec : dict
            A resolved entry of the config (`resolve`).
        raw : Path
            The folder of downloaded or hand-placed files.
        folder : Path
            Where the data set goes.
        workers : int
            Processes that may work at the same time.

        Returns
        -------
        DatasetInfo
            What was written to `dataset.json`.
        """
        info: DatasetInfo = importlib.import_module(self.module).prepare(spec, raw, folder, workers)
        return info


def resolve(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Check an entry of the config against its source and fill in the defaults.

    Parameters
    ----------
    entry : dict
        `name`, `source` and the source's own keys.

    Returns
    -------
    dict
        The entry with every key of its source.

    Raises
    ------
    ValueError
        If the source is unknown, a key is unknown or missing, a value is of the wrong type or out of range,
        or values contradict each other; the message names data set, key and value and what would be right.
    """
    name = entry.get("name")
    if not isinstance(name, str):
        raise ValueError(f"a data set's name must be text, not {name!r}")
    source = _source_of(entry)
    properties = source.spec_schema["properties"]
    own = {key: value for key, value in entry.items() if key not in ("name", "source")}
    for key in own:
        if key not in properties:
            known = ", ".join(properties) or "none"
            raise ValueError(
                f"data set {name!r}: unknown key {key!r}; the keys of {source.name!r} are: {known}"
            )
    for key in source.spec_schema["required"]:
        if key not in own:
            what = properties[key]["description"]
            raise ValueError(f"data set {name!r}: key {key!r} is missing ({what})")
    spec = {"name": name, "source": source.name}
    for key, schema in properties.items():
        spec[key] = own.get(key, schema.get("default"))
        _check_value(name, key, spec[key], schema)
    try:
        source.check(spec)
    except ValueError as error:
        raise ValueError(f"data set {name!r}: {error}") from error
    return spec


def describe(spec: Spec) -> Description:
    """Tell what is known about a data set before it is prepared.

    Parameters
    ----------
    spec : dict
        A resolved entry of the config.

    Returns
    -------
    kind : {"images", "vectors"} or None
        None where only the data can tell.
    dimension : int or None
        The data dimension D, None where only the data can tell.
    """
    return _source_of(spec).describe(spec)


def _source_of(entry: Mapping[str, Any]) -> Source:
    try:
        return SOURCES[entry["source"]]
    except (KeyError, TypeError):
        raise ValueError(
            f"data set {entry.get('name')!r}: source {entry.get('source')!r} is unknown; "
            f"the sources are {', '.join(SOURCES)}"
        ) from None


def _check_value(name: str, key: str, value: object, schema: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator

    # JSON schema lets 8.0 pass as an integer, and infinity as a number.
    unfit = isinstance(value, float) and ("integer" in schema["type"] or not math.isfinite(value))
    problems = [f"{value} is not a finite {schema['type']}"] if unfit else []
    problems += [error.message for error in Draft202012Validator(schema).iter_errors(value)]
    if problems:
        raise ValueError(f"data set {name!r}: {key}: {problems[0]} ({schema['description']})")


def _check_synthetic(spec: Spec) -> None:
    from maskaae.data.synthetic import check_sizes, default_hidden

    hidden = default_hidden(spec["n"]) if spec["hidden"] is None else spec["hidden"]
    check_sizes(n=spec["n"], hidden=hidden, dimension=spec["dimension"])


SYNTHETIC = Source(
    name="synthetic",
    description="the paper's random generator: z ~ N(0, I_n) through a fixed net (n known)",
    module="maskaae.data.synthetic",
    spec_schema={
        "properties": {
            "n": {
                "description": "true latent dimension, 1 <= n <= dimension",
                "type": "integer",
                "minimum": 1,
            },
            "dimension": {
                "description": "data dimension D (paper: 128)",
                "type": "integer",
                "minimum": 1,
                "default": 128,
            },
            "hidden": {
                "description": "width of the generator's hidden layer; null: max(64, 2n) (our choice)",
                "type": ["integer", "null"],
                "minimum": 1,
                "default": None,
            },
            "slope": {
                "description": "slope of the leaky ReLU for negative inputs, above 0 (our choice)",
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.2,
            },
            "noise": {
                "description": "standard deviation of Gaussian noise added to the data",
                "type": "number",
                "minimum": 0,
                "default": 0.0,
            },
            "n_train": {
                "description": "training examples (our choice)",
                "type": "integer",
                "minimum": 1,
                "default": 50_000,
            },
            "n_test": {
                "description": "test examples (our choice: as many as the FID's protocol asks for)",
                "type": "integer",
                "minimum": 1,
                "default": 10_000,
            },
            "seed": {
                "description": "seed of the generator's weights and of both splits",
                **_ANY_INTEGER_SEED,
            },
        },
        "required": ["n"],
    },
    describe=lambda spec: ("vectors", spec["dimension"]),
    check=_check_synthetic,
)

_SPLIT_PROPERTIES: Mapping[str, Any] = {
    "test_fraction": {
        "description": "share of the examples that becomes the test split, between 0 and 1",
        "type": "number",
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
        "default": 0.2,
    },
    "split_seed": {"description": "seed of the split", **_ANY_INTEGER_SEED},
}

DIGITS = Source(
    name="digits",
    description="scikit-learn's embedded digits: 1,797 real 8x8 images, ten classes",
    module="maskaae.data.digits",
    spec_schema={"properties": _SPLIT_PROPERTIES, "required": []},
    describe=lambda spec: ("images", 64),
)

SOURCES: Mapping[str, Source] = {source.name: source for source in (SYNTHETIC, DIGITS)}
