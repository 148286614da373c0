"""Every source of data by name, its keys, and the check of a configuration's entries against them.

The Snakefile imports this module while it is parsed, so it needs only the standard library at import; a
source's own module is imported when it prepares something.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from maskaae.data.known import SHAPES, SYNTHETIC
from maskaae.data.own.sources import ARRAY, FRACTION, IMAGES, SPLIT_SEED, TABLE
from maskaae.data.source import Description, Key, Source, Spec, described

_VERIFY = {
    "verify": described("check published files; false: take them on your word", "boolean", default=True)
}


_DIGITS = Source(
    name="digits",
    description="scikit-learn's embedded digits: 1,797 real 8x8 images, ten classes",
    module="maskaae.data.digits",
    keys={
        "test_fraction": described(
            "share of the images that becomes the test split", "number", **FRACTION, default=0.2
        ),
        "split_seed": SPLIT_SEED,
    },
    describe=lambda spec: ("images", 64),
)


def _mnist_like(name: str, folder: str, description: str) -> Source:
    files = (
        f"{split}-{content}-ubyte.gz"
        for split in ("train", "t10k")
        for content in ("images-idx3", "labels-idx1")
    )
    return Source(
        name=name,
        description=f"{description}: 70,000 grey 28x28 images, ten classes",
        module="maskaae.data.published.mnist",
        keys=_VERIFY,
        describe=lambda spec: ("images", 784),
        raw_files=tuple(f"{folder}/raw/{file}" for file in files),
    )


_CIFAR10 = Source(
    name="cifar10",
    description="photographs: 60,000 colour 32x32 images, ten classes",
    module="maskaae.data.published.cifar",
    keys=_VERIFY,
    describe=lambda spec: ("images", 3 * 32 * 32),
    raw_files=("cifar-10-python.tar.gz",),
)

_CELEBA = Source(
    name="celeba",
    description="faces: 202,599 colour photographs, centre crop, 64x64, unlabelled",
    module="maskaae.data.published.celeba",
    keys={
        "crop": described(
            "side of the centre crop of the photographs", "integer", enum=[140, 128, 160], default=140
        ),
        "size": described("side of the image that the crop is resized to", "integer", minimum=1, default=64),
        **_VERIFY,
    },
    describe=lambda spec: ("images", 3 * spec["size"] ** 2),
    raw_files=("celeba/img_align_celeba.zip", "celeba/list_eval_partition.txt"),
)


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        SYNTHETIC,
        SHAPES,
        _DIGITS,
        _mnist_like("mnist", "MNIST", "handwritten digits"),
        _mnist_like("fashion_mnist", "FashionMNIST", "articles of clothing"),
        *(_CIFAR10, _CELEBA, IMAGES, TABLE, ARRAY),
    )
}


def resolve(entry: Mapping[str, Any], other_keys: Iterable[str] = ()) -> dict[str, Any]:
    """Check an entry of the configuration (`name`, `source`, keys) and fill in the source's defaults.

    `other_keys` are those that an entry may have beside, for somebody else: a misspelt key may mean them.

    Raises
    ------
    ValueError
        If the source is unknown, a key is unknown or missing, a value is of the wrong type or out of range,
        or values contradict each other; the message names data set, key and value and what would be right.
    """
    name = entry.get("name")
    if not isinstance(name, str):
        raise ValueError(f"a data set's name must be text, not {name!r}")
    where = f"data set {name!r}"
    source = SOURCES.get(str(entry.get("source")))
    if source is None:
        known = ", ".join(SOURCES)
        raise ValueError(f"{where}: source: {entry.get('source')!r} is unknown; known: {known}")
    for key in entry:
        if key not in ("name", "source", *source.keys):
            raise ValueError(f"{where}: key {key!r} is unknown{suggestion(key, [*source.keys, *other_keys])}")
    spec = {"name": name, "source": source.name}
    for key, schema in source.keys.items():
        if key not in entry and "default" not in schema:
            raise ValueError(f"{where}: key {key!r} is missing ({schema['description']})")
        spec[key] = entry.get(key, schema.get("default"))
        _check_value(f"{where}: {key}", spec[key], schema)
    try:
        source.check(spec)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return spec


def suggestion(word: str, known: Iterable[str]) -> str:
    """End of a message on an unknown word: the nearest known one, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known) or 'none'}"


def describe(spec: Spec) -> Description:
    """Kind and dimension of a data set before it is prepared, None where only the data can tell."""
    return SOURCES[spec["source"]].describe(spec)


def input_paths(spec: Spec) -> list[str]:
    """Paths, as given in the configuration, of the user's files and folders that a data set is made from."""
    return [spec[key] for key in SOURCES[spec["source"]].path_keys if spec[key] is not None]


def _check_value(where: str, value: object, schema: Key) -> None:
    from jsonschema import Draft202012Validator

    # JSON schema lets 8.0 pass as an integer, and infinity as a number.
    unfit = isinstance(value, float) and ("number" not in schema["type"] or not math.isfinite(value))
    problems = [f"{value} is not a finite {schema['type']}"] if unfit else []
    problems += [error.message for error in Draft202012Validator(schema).iter_errors(value)]
    if problems:
        raise ValueError(f"{where}: {problems[0]} ({schema['description']})")
