"""A config's data sets are checked against their source before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from maskaae.data.registry import SOURCES, describe, input_paths, resolve


def own(source, **keys):
    return {"name": "own", "source": source, "path": "data", **keys}


def synthetic(**keys):
    return {"name": "toy", "source": "synthetic", "n": 8, **keys}


def test_defaults_are_filled_in():
    spec = resolve(synthetic())
    assert spec == {
        "name": "toy",
        "source": "synthetic",
        "n": 8,
        "family": "paper",
        "dimension": 128,
        "hidden": None,
        "slope": 0.2,
        "latent": "gaussian",
        "noise": 0.0,
        "n_train": 50_000,
        "n_test": 10_000,
        "seed": 0,
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"name": "toy", "source": "nowhere"},
            r"'toy': source: 'nowhere' is unknown; known: synthetic",
        ),
        ({"name": "toy"}, r"source: None is unknown"),
        ({"source": "digits"}, r"name must be text, not None"),
        ({"name": "toy", "source": "synthetic"}, r"key 'n' is missing \(true latent dimension"),
        (synthetic(n=0), r"'toy': n: 0 is less than the minimum of 1 .*1 <= n <= dimension"),
        (synthetic(n=129), r"n is 129, more than the data dimension 128; give 1 <= n <= 128"),
        (synthetic(n="8"), r"n: '8' is not of type 'integer'"),
        (synthetic(n=8.0), r"n: 8.0 is not a finite integer"),
        (synthetic(hidden=7), r"hidden is 7, less than n = 8"),
        (synthetic(family="tanhh"), r"family: 'tanhh' is not one of \['paper', 'tanh'"),
        (synthetic(family="tanh", hidden=7), r"hidden is 7, less than n = 8"),
        (synthetic(family="linear", hidden=64), r"hidden is 64, but family `linear` has no hidden layer"),
        (synthetic(family="deep_relu", slope=0.1), r"slope is 0.1, but only family `paper` has a slope"),
        (synthetic(family="sinusoids", latent="torus", dimension=15), r"makes 16 inputs, more than the data"),
        ({"name": "s", "source": "shapes", "n": 7}, r"n: 7 is greater than the maximum of 6"),
        (synthetic(slope=0), r"slope: 0 is less than or equal to the minimum of 0"),
        (synthetic(noise=float("nan")), r"noise: nan is not a finite number"),
        (synthetic(sloppe=0.1), r"key 'sloppe' is unknown; did you mean 'slope'"),
        (
            {"name": "d", "source": "digits", "test_fraction": 1.0},
            r"test_fraction: 1.0 is greater than or equal",
        ),
    ],
)
def test_a_wrong_entry_is_refused_with_key_value_and_remedy(entry, message):
    with pytest.raises(ValueError, match=message):
        resolve(entry)


def test_kind_and_dimension_are_known_before_any_data_is_read():
    assert describe(resolve(synthetic(dimension=32))) == ("vectors", 32)
    assert describe(resolve({"name": "d", "source": "digits"})) == ("images", 64)


def test_kind_and_dimension_of_the_published_sets():
    published = {"mnist": 784, "fashion_mnist": 784, "cifar10": 3072, "celeba": 12288}
    for source, dimension in published.items():
        assert describe(resolve({"name": "p", "source": source})) == ("images", dimension)


def test_own_images_have_a_known_dimension_once_the_channels_are():
    assert describe(resolve(own("images", size=16, channels=3))) == ("images", 768)
    assert describe(resolve(own("images"))) == ("images", None)


def test_the_files_of_the_user_are_known_for_the_workflow_to_watch():
    spec = resolve(own("array", test_path="t.npy", label_path="l.npy", test_label_path="m.npy"))
    assert input_paths(spec) == ["data", "t.npy", "l.npy", "m.npy"]
    assert input_paths(resolve(synthetic())) == []


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_key_has_a_description_and_a_type(source):
    for key, schema in source.keys.items():
        assert schema["description"], key
        assert "type" in schema, key


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_docs_know_every_source_and_key(source):
    docs = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    for word in (source.name, *source.keys):
        assert f"`{word}`" in docs


def test_importing_the_registry_imports_nothing_heavy():
    heavy = ["numpy", "torch", "torchvision", "sklearn", "pandas", "scipy", "PIL"]
    code = f"import maskaae.data.registry, sys; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
