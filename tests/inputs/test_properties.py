"""Whatever a configuration or an array holds: a clear error when it is read, or a run that ends."""

import copy
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maskaae.config.checking import check_config
from maskaae.config.experiment import Experiment
from maskaae.config.keys import Configuration
from maskaae.config.reading import ConfigError, read_config
from maskaae.config.schema import json_schema
from maskaae.data.dataset import load_dataset
from maskaae.data.own.load import read_own
from maskaae.data.registry import SOURCES, describe, resolve

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json_schema(Configuration)
GOOD = yaml.safe_load((Path(__file__).parent / "broken_configs.yaml").read_text())["good"]
REPEATABLE = settings(
    derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)

plain = st.none() | st.booleans() | st.integers(-3, 200) | st.floats() | st.text(max_size=8)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def places(part, at=()):
    """Every place in a nested configuration, and in the schema's keys that it leaves out."""
    yield at
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield from places(value, (*at, key))


ABSENT = [(key,) for key in SCHEMA["properties"]]
ABSENT += [("datasets", 0, key) for key in SCHEMA["$defs"]["DatasetKeys"]["properties"]]


@REPEATABLE
@given(at=st.sampled_from([*list(places(GOOD))[1:], *ABSENT]), value=values)
def test_a_configuration_with_anything_anywhere_is_an_experiment_or_an_error_of_ours(at, value):
    config = copy.deepcopy(GOOD)
    place = config
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value
    try:
        assert isinstance(check_config(config), Experiment)
    except ConfigError as error:
        assert error.problems


@REPEATABLE
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_as_keys_and_values_or_refused_by_the_name_of_the_file(text):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "any.yaml"
        path.write_bytes(text.encode())
        try:
            assert isinstance(read_config(path), dict)
        except ConfigError as error:
            assert "any.yaml" in str(error)


shapes = st.one_of(
    arrays.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=6),
    st.integers(70, 90).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, 3))),
    st.integers(70, 90).flatmap(lambda n: st.tuples(st.just(n), st.just(2), st.just(2))),
)
kinds = st.sampled_from(["f8", "f4", "f2", "u1", "u2", "i4", "i8", "?", "c8", "U3", "M8[s]"])


def contents(kind, shape, fill, spot):
    """An array of one value with another in it."""
    array = np.full(shape, 0).astype(kind)
    with np.errstate(all="ignore"):
        if array.dtype.kind in "fiub" and array.size:
            array.flat[:] = np.asarray(fill).astype(kind)
            array.flat[array.size // 2] = np.asarray(spot).astype(kind)
    return array


numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, 7.0, 255.0, 256.0, 1e-30, 1e30, 1e300, np.nan, np.inf])


@REPEATABLE
@given(kind=kinds, shape=shapes, fill=numbers, spot=numbers)
def test_any_array_becomes_a_finite_data_set_or_is_refused_by_the_name_of_its_file(kind, shape, fill, spot):
    with TemporaryDirectory() as folder, np.errstate(all="ignore"):
        path = Path(folder) / "any.npy"
        np.save(path, contents(kind, shape, fill, spot))
        try:
            spec = resolve({"name": "own", "source": "array", "path": str(path)})
            describe(spec)
            SOURCES["array"].prepare(spec, raw=path, folder=Path(folder) / "out")
        except ValueError as error:
            assert "any.npy" in str(error)
            return
        dataset = load_dataset(Path(folder) / "out")
        assert np.isfinite(dataset.train).all() and np.isfinite(dataset.test).all()
        assert len(dataset.train) + len(dataset.test) == shape[0]


cells = st.sampled_from(
    [
        "1",
        "-2.5",
        "1,5",
        "1.234,5",
        "1,234",
        "",
        "NA",
        "?",
        "true",
        "x",
        "a b",
        '"q"',
        "2020-01-01",
        "1e300",
        "inf",
        "#",
    ]
)


forms = st.fixed_dictionaries(
    {
        "separator": st.sampled_from([",", ";", "\t", " ", "|"]),
        "ending": st.sampled_from(["\n", "\r\n", "\r"]),
        "encoding": st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
        "width": st.integers(0, 4),
    }
)


@settings(parent=REPEATABLE, max_examples=60)
@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=5),
    form=forms,
    missing=st.sampled_from([None, "drop_rows", "drop_columns", "median"]),
)
def test_any_table_becomes_a_finite_data_set_or_is_refused_by_the_name_of_its_file(rows, form, missing):
    """Odd lines above a hundred tidy ones, or none of these."""
    tidy = [[f"{(i * 7 + j) % 89 / 8}" for j in range(form["width"])] for i in range(100) if form["width"]]
    lines = [form["separator"].join(row) for row in [*rows, *tidy]]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(form["ending"].join(lines).encode(form["encoding"]))
        try:
            dataset = read_own(path, Path(folder) / "out", {"missing": missing}).dataset
        except ValueError as error:
            assert "any.csv" in str(error)
            assert len(str(error).splitlines()) <= 10
            return
        assert np.isfinite(dataset.train).all() and np.isfinite(dataset.test).all()


@settings(parent=REPEATABLE, max_examples=12)
@given(
    rows=arrays.arrays(np.float32, (20, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32)),
    m=st.integers(1, 3),
    mask_rate=st.floats(1e-6, 1e6),
)
def test_any_finite_data_and_rate_give_a_run_that_ends_or_says_where_it_diverged(rows, m, mask_rate):
    from maskaae.method.presets import PAPER, TrainingPlan
    from maskaae.method.spec import ModelSpec
    from maskaae.training.divergence import TrainingDivergedError
    from maskaae.training.loop import TrainingRun
    from maskaae.training.store import RunStore

    hyperparameters = PAPER.override({"mask_rate": mask_rate})
    spec = ModelSpec("maae", m, (0, 1), "vectors", (3,), (4,), (4,), hyperparameters)
    plan = TrainingPlan(4, 4, log_every=2, checkpoint_every=2, on_divergence="continue")
    with TemporaryDirectory() as folder:
        run = TrainingRun(spec, rows, plan, RunStore(Path(folder), {}))
        try:
            run.train()
        except TrainingDivergedError as error:
            assert "is not finite at step" in str(error)
            return
        alive = run.history[~run.history["seed"].isin(list(run.model.lost))]
        assert np.isfinite(alive.filter(regex="autoencoder|critic|mu_").to_numpy(float)).all()
