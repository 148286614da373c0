"""Variants change what they say and nothing else, and are refused where they cannot mean anything."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest

from maskaae.config.checking import check_config
from maskaae.config.experiment import SEPARATOR, groups_from_dicts, label, split_label
from maskaae.config.reading import ConfigError
from maskaae.method.presets import PAPER, ROBUST
from maskaae.models.catalogue import CATALOGUE

REPOSITORY = Path(__file__).parents[2]

GOOD = {
    "seeds": [0],
    "preset": "robust",
    "datasets": [
        {"name": "a", "source": "synthetic", "n": 4, "capacities": {"maae": [8]}},
        {
            "name": "d",
            "source": "digits",
            "capacities": {"maae": [8]},
            "network": {"kind": "convolutional", "channels": [16, 32]},
        },
    ],
    "variants": {
        "penalty": {"title": "variance penalty", "hyperparameters": {"variance_weight": 100}},
        "mse": {"hyperparameters": {"fidelity": {"reconstruction": "mse"}}},
        "no_norm": {"network": {"normalisation": "none"}},
        "all_rows": {"training": {"validation_share": 0}},
        "released": {"preset": "paper"},
        "released_adam": {"base": "released", "hyperparameters": {"fidelity": {"optimiser": "adam"}}},
    },
    "ablations": [
        {"title": "n = 4", "dataset": "a", "capacities": [8, 16], "variants": ["penalty"]},
        {
            "title": "paper",
            "dataset": "a",
            "capacities": [8],
            "base": "released",
            "variants": ["released_adam"],
            "references": ["wae"],
        },
        {"title": "digits", "dataset": "d", "capacities": [8], "variants": ["mse", "no_norm"]},
    ],
}


def changed(*path_and_value):
    *path, value = path_and_value
    config = copy.deepcopy(GOOD)
    place = config
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return config


def differences(one, other):
    """Names of the hyper-parameters that differ."""
    return {
        field.name
        for field in dataclasses.fields(one)
        if getattr(one, field.name) != getattr(other, field.name)
    }


def test_a_label_names_model_and_variant():
    assert label("maae", None) == "maae"
    assert split_label(label("maae", "penalty")) == ("maae", "penalty")
    assert split_label("wae") == ("wae", None)
    assert not any(SEPARATOR in name for name in CATALOGUE)  # else a model would be read as a variant


def test_a_variant_differs_from_the_data_sets_settings_in_what_it_names_only():
    entry = check_config(GOOD).datasets["a"]
    own, variant = entry.setting("maae"), entry.setting("maae-penalty")
    assert own.hyperparameters == ROBUST
    assert variant.network == own.network
    assert differences(own.hyperparameters, variant.hyperparameters) == {"variance_weight"}
    assert variant.hyperparameters.variance_weight == 100


def test_a_fidelity_switch_leaves_the_other_switches():
    entry = check_config(GOOD).datasets["d"]
    own, variant = entry.setting("maae").hyperparameters, entry.setting("maae-mse").hyperparameters
    assert differences(own, variant) == {"fidelity"}
    assert differences(own.fidelity, variant.fidelity) == {"reconstruction"}


def test_a_key_of_the_training_leaves_all_else():
    entry = check_config(changed("ablations", 0, "variants", ["all_rows"])).datasets["a"]
    own, variant = entry.setting("maae"), entry.setting("maae-all_rows")
    assert variant == dataclasses.replace(own, training={**own.training, "validation_share": 0})


def test_a_network_key_leaves_the_constants():
    entry = check_config(GOOD).datasets["d"]
    own, variant = entry.setting("maae"), entry.setting("maae-no_norm")
    assert variant.hyperparameters == own.hyperparameters
    assert variant.network == {**own.network, "normalisation": "none"}


def test_a_variant_of_a_variant_takes_its_base_with_it():
    config = changed("hyperparameters", {"mask_rate": 0.1})
    entry = check_config(config).datasets["a"]
    released = entry.setting("maae-released").hyperparameters
    assert released == PAPER.override({"mask_rate": 0.1})  # what the user puts on any preset stays
    adam = entry.setting("maae-released_adam").hyperparameters
    assert differences(released, adam) == {"fidelity"}
    assert entry.setting("wae-released").hyperparameters == released


def test_a_comparison_trains_base_changes_and_references_once_a_capacity():
    groups = check_config(GOOD).comparisons["ablations"]
    assert [(row.label, row.kind) for row in groups[0].rows] == [
        ("maae", "base"),
        ("maae-penalty", "change"),
    ]
    assert [(row.label, row.title) for row in groups[1].rows] == [
        ("maae-released", "base"),
        ("maae-released_adam", "released adam"),
        ("wae-released", "WAE"),
    ]
    assert groups[0].capacities == (8, 16)


def test_groups_come_through_the_workflow_as_they_were():
    groups = list(check_config(GOOD).comparisons["ablations"])
    written = json.loads(json.dumps([dataclasses.asdict(group) for group in groups]))
    assert groups_from_dicts(written) == groups


def test_runs_of_the_plain_grid_are_those_without_variants():
    assert check_config(GOOD).runs() == [("a", "maae", 8), ("d", "maae", 8)]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            changed("variants", "mse", {"hyperparameters": {"varance_weight": 0}}),
            "variants: mse: hyperparameters: key 'varance_weight' is unknown; did you mean 'variance_weight'",
        ),
        (
            changed("variants", "mse", {"hyperparameters": {"fidelity": {"optimiser": "sgd"}}}),
            "variants: mse: hyperparameters: fidelity: optimiser: 'sgd' is not one of",
        ),
        (
            changed("variants", "mse", {"hyperparameter": {}}),
            "variants: mse: key 'hyperparameter' is unknown; did you mean 'hyperparameters'",
        ),
        (
            changed("variants", "penalty", {"hyperparameters": {"mask_start": [3, 2]}}),
            "variants: penalty: hyperparameters: mask_start: .* is no interval",
        ),
        (
            changed("variants", "penalty", {"hyperparameters": {"variance_weight": 0.0}}),
            "variants: penalty: changes nothing",
        ),
        (changed("variants", {"a-b": {}}), "variants: 'a-b' does not match"),
        (
            changed("ablations", 0, "variants", ["no_penlty"]),
            "n = 4: no variant 'no_penlty'; known: all_rows, mse",
        ),
        (changed("ablations", 0, "dataset", "b"), "ablations: n = 4: no data set 'b'"),
        (
            changed("ablations", 0, "variants", ["released_adam"]),
            "'released_adam' changes released, not these settings; give it 'base: null'",
        ),
        (changed("variants", "released", "base", "released_adam"), "comes back to itself"),
        (changed("ablations", 0, "capacities", [129]), "n = 4: .*m = 129 is above D = 128"),
        (changed("ablations", 0, "references", ["gan"]), "references: 0: 'gan' is not one of"),
        (changed("ablations", 0, "thresholds", [1.5]), "thresholds: 0: 1.5 is greater"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(config, message):
    with pytest.raises(ConfigError, match=message):
        check_config(config)
