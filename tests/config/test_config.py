"""Bad configurations are refused with the key, the value and what would be right."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest

from maskaae.config.checking import check_config
from maskaae.config.keys import Configuration
from maskaae.config.reading import ConfigError, nested_overrides, read_config
from maskaae.config.schema import json_schema, resolved
from maskaae.method.presets import PAPER, ROBUST

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json_schema(Configuration)

GOOD = {
    "seeds": [0],
    "datasets": [
        {
            "name": "a",
            "source": "synthetic",
            "n": 4,
            "capacities": {"wae": [2, 4], "maae": [2, 4, 8]},
            "capacity": 4,
        },
        {
            "name": "d",
            "source": "digits",
            "features": "classifier",
            "capacities": {"maae": [8]},
            "capacity": 8,
        },
    ],
    "figures": {"fig1": ["a"], "fig5": {"dataset": "d", "capacities": [8]}, "fig9": "a"},
}


def changed(*path_and_value):
    *path, value = path_and_value
    config = copy.deepcopy(GOOD)
    place = config
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return config


@pytest.mark.parametrize(
    "name", ["config", "demo", "smoke", "ablations", "why_it_fails", "claims", "dimensions"]
)
def test_shipped_configurations_are_good(name):
    experiment = check_config(read_config(REPOSITORY / f"config/{name}.yaml"))
    assert experiment.runs()


def test_families_are_counted_and_nothing_is_trained_on_them():
    experiment = check_config(read_config(REPOSITORY / "config/count_families.yaml"))
    assert experiment.runs() == []
    named = [*experiment.count_families["judging"], *experiment.count_families["choosing"]]
    assert sorted(named) == sorted(experiment.datasets)


def test_raw_values_of_celeba_are_not_measured():
    """Their covariance would take 1.2 GB a seed."""
    experiment = check_config(read_config(REPOSITORY / "config/config.yaml"))
    assert experiment.datasets["celeba"].measured == ("inception",)
    assert experiment.datasets["mnist"].measured == ("inception", "raw")


def test_defaults_are_filled_in_and_presets_named():
    experiment = check_config(GOOD)
    entry = experiment.datasets["a"]
    assert entry.hyperparameters == PAPER
    assert entry.training["steps"] == 500_000
    assert entry.metric == "fd_raw_10k"
    assert experiment.datasets["d"].metric == "fid_classifier_10k"
    assert experiment.runs(["a"], ["wae"]) == [("a", "wae", 2), ("a", "wae", 4)]


def test_a_data_set_overrides_what_all_share():
    config = changed("datasets", 0, "training", {"steps": 7})
    config["preset"] = "robust"
    config["hyperparameters"] = {
        "mask_rate": 0.1,
        "fidelity": {"reconstruction": "mse"},
        "vae": {"rate": 2e-4},
    }
    config["datasets"][1]["preset"] = "paper"
    config["datasets"][1]["hyperparameters"] = {"mask_rate": 0.2, "vae": {"second_hidden": [8, 8]}}
    datasets = check_config(config).datasets
    assert datasets["a"].training == {
        "steps": 7,
        "batch_size": 64,
        "log_every": 1000,
        "checkpoint_every": 25000,
        "on_divergence": "stop",
        "precision": "tf32",
        "validation_share": 0.1,
        "validation_seed": 0,
        "length": "fixed",
        "shortest_search": 1000,
    }
    assert datasets["a"].hyperparameters.mask_start == ROBUST.mask_start
    assert datasets["a"].hyperparameters.mask_rate == 0.1
    assert datasets["d"].hyperparameters.mask_start == PAPER.mask_start
    assert datasets["d"].hyperparameters.mask_rate == 0.2
    assert datasets["a"].hyperparameters.vae == dataclasses.replace(ROBUST.vae, rate=2e-4)
    assert datasets["d"].hyperparameters.vae == dataclasses.replace(
        PAPER.vae, rate=2e-4, second_hidden=(8, 8)
    )
    assert datasets["d"].hyperparameters.fidelity.reconstruction == "mse"
    assert datasets["d"].hyperparameters.fidelity.decay == PAPER.fidelity.decay


def test_network_is_an_mlp_unless_images_ask_for_convolutions():
    assert check_config(GOOD).datasets["d"].network["kind"] == "mlp"
    convolutional = changed("datasets", 1, "network", {"kind": "convolutional", "channels": [8, 16, 32]})
    network = check_config(convolutional).datasets["d"].network
    assert (network["channels"], network["normalisation"]) == ([8, 16, 32], "batch")
    assert network["critic_hidden"] == [128, 128, 128]


def test_soft_mask_at_inference_draws_the_soft_metric():
    config = changed("hyperparameters", {"fidelity": {"mask_at_inference": "soft"}})
    assert check_config(config).datasets["a"].metric == "fd_raw_10k_soft"


def comparing(on_request):
    """A comparison of all models, one of them trained for it alone."""
    config = changed("tables", {"table1": {"a": 4}, "table2": ["a"]})
    config["datasets"][0]["capacities"]["rae"] = [4]
    config["on_request"] = on_request
    return config


def test_models_that_only_things_on_request_show_are_not_trained_unasked():
    assert check_config(comparing([])).plain_models == {"wae", "maae", "rae"}
    assert check_config(comparing(["table1"])).plain_models == {"wae", "maae"}
    assert check_config(comparing(["table1", "table2", "fig1"])).plain_models == {"maae"}  # figure 5


def test_a_comparison_shows_every_model_that_is_trained_at_its_capacity():
    entry = check_config(comparing([])).datasets["a"]
    assert entry.models_at(4) == ["wae", "maae", "rae"]
    assert entry.models_at(8) == ["maae"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            changed("datasets", 0, "tuning", {"vae_fixed": {"capacity": 4, "vae.variance": [1]}}),
            "tuning: vae_fixed: the model is not trained",
        ),
        (
            changed("datasets", 0, "tuning", {"wae": {"capacity": 4, "vae.varianz": [1]}}),
            "tuning: wae: vae: key 'varianz' is unknown; did you mean 'variance'",
        ),
        (changed("datasets", 0, "tuning", {"wae": {"vae.variance": [1]}}), "capacity"),
        (
            changed("datasets", 0, "tuning", {"wae": {"capacity": 4, "vae.variance": [1, 0]}}),
            "tuning: wae: vae: variance: 0 is less than or equal to the minimum of 0",
        ),
        (
            changed("datasets", 0, "tuning", {"wae": {"capacity": 4, "vae.variance": 1}}),
            "tuning: wae: vae.variance: 1 is no list of values to try",
        ),
        (changed("datasets", 0, "tuning", {"wae": {"capacity": 4}}), "tuning: wae: nothing to choose from"),
        (changed("training", {"steps": 1000.0}), "training: steps: 1000.0 is not of type 'integer'"),
        (
            changed("variants", {"unused": {"hyperparameters": {"mask_start": [3, 2]}}}),
            "variants: unused: hyperparameters: mask_start: \\[3, 2\\] is no interval",
        ),
        (changed("tables", {"table1": {"a": 3}}), "table1: no model is trained on 'a' at m = 3"),
        (changed("tables", {"table1": {"b": 4}}), "table1: no data set 'b'"),
        (changed("tables", {"table1": {}}), "table1"),
        (
            changed("on_request", ["table1"]),
            "on_request: 'table1' is neither among the figures nor the tables",
        ),
        (changed("claims", {"known": ["b"]}), "claims: known: no data set 'b'"),
        (changed("claims", {"threshold": {}}), "claims: key 'threshold' is unknown; did .*'thresholds'"),
        (changed("seedz", [1]), "'seedz' is unknown; did you mean 'seeds'"),
        (changed("seeds", []), "seeds: the list is empty"),
        (changed("seeds", [0, 0]), "seeds: .*non-unique"),
        (changed("preset", "papper"), "preset: 'papper' is not one of"),
        (changed("training", {"step": 5}), "training: key 'step' is unknown; did you mean 'steps'"),
        (changed("training", {"steps": 0}), "training: steps: 0 is less than the minimum of 1"),
        (changed("training", {"steps": "many"}), "training: steps: 'many' is not of type 'integer'"),
        (changed("hyperparameters", {"mask_rat": 1}), "'mask_rat' is unknown; did you mean 'mask_rate'"),
        (
            changed("hyperparameters", {"fidelity": {"decay": "half"}}),
            "fidelity: decay: 'half' is not one of",
        ),
        (changed("hyperparameters", {"mask_start": [3, 2]}), "mask_start: .*3.*2"),
        (changed("datasets", []), "datasets: the list is empty"),
        (changed("datasets", 0, "capacities", {"wae": []}), "capacities: wae: the list is empty"),
        (
            changed("datasets", 0, "capacities", {"wae": [0]}),
            "capacities: wae: 0: 0 is less than the minimum",
        ),
        (
            changed("datasets", 0, "capacities", {"vae": [4]}),
            "data set 'a': capacities: vae sees only images; vectors can be learned by vae_fixed, .*maae",
        ),
        (changed("hyperparameters", {"vae": {"rat": 1}}), "vae: key 'rat' is unknown; did you mean 'rate'"),
        (changed("datasets", 0, "capacities", {"wae": [4, 4]}), "capacities: wae: .*non-unique"),
        (
            changed("datasets", 0, "capacities", {"mae": [4]}),
            "capacities: key 'mae' is unknown; did .*'maae'",
        ),
        (
            changed("datasets", 0, "capacities", {"wae": [4, 129], "maae": [4]}),
            "wae: m = 129 is above D = 128; give 1 <= m <= 128",
        ),
        (changed("datasets", 0, "capacity", 5), "capacity: 5 is not trained for wae; choose one of"),
        (changed("datasets", 0, "n", 0), "data set 'a': n: 0 is less than the minimum of 1"),
        (changed("datasets", 0, "n", 129), "n is 129, more than the data dimension 128"),
        (changed("datasets", 0, "source", "imagenet"), "source: 'imagenet' is unknown; known: .*synthetic"),
        (changed("datasets", 0, "nn", 3), "data set 'a': key 'nn' is unknown"),
        (changed("datasets", 0, "capacites", 3), "'capacites' is unknown; did you mean 'capacities'"),
        (changed("datasets", 0, "name", "d"), "two data sets are named 'd'"),
        (changed("datasets", 0, "name", "../up"), "datasets: 0: name: '../up' does not match"),
        (changed("datasets", 0, "features", "inception"), "features: 'inception' sees only images"),
        (
            changed("datasets", 0, "network", {"kind": "convolutional"}),
            "data set 'a': network: kind: convolutional sees only images; vectors need kind: mlp",
        ),
        (
            changed("datasets", 1, "network", {"kind": "convolutional"}),
            "data set 'd': network: channels: .* halves images 4 times.* D = 64 .* multiples of 16",
        ),
        (
            changed("datasets", 1, "network", {"kind": "convolutional", "hidden": [64]}),
            "data set 'd': network: key 'hidden' belongs to kind: mlp, and the kind here is convolutional",
        ),
        (
            changed("datasets", 1, "network", {"kind": "auto", "channels": [16]}),
            "network: key 'channels' is worked out from the images where kind is auto",
        ),
        (
            changed("datasets", 1, "network", {"channels": [16]}),
            "network: key 'channels' belongs to kind: convolutional, and the kind here is mlp",
        ),
        (
            changed(
                "datasets",
                1,
                "network",
                {"kind": "convolutional", "channels": [16, 40], "normalisation": "group"},
            ),
            "channels: 40 cannot be divided into groups of 16 .* give multiples of 16",
        ),
        (changed("datasets", 1, "network", {"kind": "cnn"}), "network: kind: 'cnn' is not one of"),
        (changed("figures", "fig1", ["b"]), "figures: fig1: no data set 'b'"),
        (changed("figures", "fig1", ["d"]), "figures: fig1: needs wae on 'd'"),
        (
            changed("figures", "fig5", {"dataset": "d", "capacities": [9]}),
            "fig5: m = 9 is not trained; maae on 'd' has \\[8\\]",
        ),
        (changed("figures", "fig9", "d"), "fig9: draws the synthetic generator; 'd' comes from 'digits'"),
        (changed("figures", "fig3", ["a"]), "figures: key 'fig3' is unknown"),
        (changed("tables", {"table2": ["d"]}), "tables: table2: needs wae on 'd'"),
        ({"datasets": "all"}, "datasets: 'all' is not of type 'array'"),
        ({}, "'datasets' is a required property"),
    ],
)
def test_bad_configuration_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        check_config(config)


def test_every_problem_of_a_data_set_is_listed_at_once():
    config = changed("datasets", 0, "capacities", {"wae": [129], "mae": [4]})
    config["datasets"][0]["features"] = "inception"
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    said = ("m = 129 is above", "capacity: 4 is not trained", "'mae' is unknown", "sees only images")
    assert all(any(words in problem for problem in caught.value.problems) for words in said)


def test_numbers_stay_as_they_are_written():
    """What a run records must not depend on how the check represents a number."""
    config = changed("hyperparameters", {"variance_weight": 100, "mask_rate": 1e-3})
    config["datasets"][1]["network"] = {"kind": "convolutional", "channels": [8], "batch_momentum": 1}
    entry = check_config(config).datasets["d"]
    assert json.dumps(entry.hyperparameters.variance_weight) == "100"
    assert json.dumps(entry.network["batch_momentum"]) == "1"


def test_a_figure_that_needs_nothing_is_shown_unless_it_is_put_off_or_left_out():
    assert check_config(GOOD).figures["fig7"] is True
    assert check_config(changed("on_request", ["fig7"])).on_request == {"fig7"}
    assert check_config(changed("figures", {"fig7": False})).figures["fig7"] is False


def test_every_problem_is_listed_at_once():
    config = changed("seeds", [])
    config["training"] = {"steps": 0}
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    assert len(caught.value.problems) == 2


def test_key_given_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("seeds: [0]\ndatasets: []\nseeds: [1]\n")
    with pytest.raises(ConfigError, match=r"twice\.yaml, line 3: key 'seeds' is given twice"):
        read_config(path)


def test_merge_key_adds_what_is_not_written_beside_it(tmp_path):
    """`inner` is merged while it merges something itself, and each overrides a key: no key is given twice."""
    path = tmp_path / "merged.yaml"
    path.write_text(
        "net: &net {width: 8, layers: 2}\n"
        "list: [{deep: &inner {<<: *net, layers: 3}}]\n"
        "outer: {<<: *inner, width: 4}\n"
    )
    config = read_config(path)
    assert config["list"] == [{"deep": {"width": 8, "layers": 3}}]
    assert config["outer"] == {"width": 4, "layers": 3}


def test_nested_overrides_have_the_types_of_a_file():
    entries = ["seeds=[0, 1]", "training={steps: 120}", "names=['1']", "data=my file.csv", "x=a: ["]
    assert nested_overrides(entries) == {"seeds": [0, 1], "training": {"steps": 120}, "names": ["1"]}
    with pytest.raises(ConfigError, match=r"--config training=.*key 'steps' is given twice"):
        nested_overrides(["training={steps: 1, steps: 2}"])


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", ""])
def test_file_that_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        read_config(path)


def test_schema_and_code_know_the_same_names():
    from maskaae.models.catalogue import MASK_TRAININGS
    from maskaae.networks.convolutional import NORMALISATIONS
    from maskaae.networks.kinds import AUTO, OWN_KEYS

    fidelity = SCHEMA["$defs"]["Fidelity"]["properties"]
    assert set(fidelity["mask_training"]["enum"]) == set(MASK_TRAININGS)
    network = SCHEMA["$defs"]["Network"]["properties"]
    assert set(network["kind"]["enum"]) == {*OWN_KEYS, AUTO}
    assert set(network["normalisation"]["enum"]) == set(NORMALISATIONS)


def test_every_key_is_described_and_has_a_default_or_is_required():
    def walk(schema, path):
        for key, raw in schema.get("properties", {}).items():
            part = resolved(raw, SCHEMA)
            assert "description" in part, (*path, key)
            assert "default" in part or key in schema.get("required", ()), (*path, key)
            walk(part, (*path, key))
            walk(resolved(part.get("items", {}), SCHEMA), (*path, key))

    walk(SCHEMA, ())
