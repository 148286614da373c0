"""The answer: the vote, what is tried next, and what is warned about."""

import dataclasses
import json

import pytest

from maskaae.counting.answer import Count, Round, Trial, answering, is_converged_in_width, next_trial
from maskaae.counting.cautions import cautions
from maskaae.counting.settings import CountSettings
from maskaae.evaluation.witnesses import Witness


def of(*counts, m=32, width=128, **changes):
    """A round whose seeds 0, 1, ... found some counts."""
    errors = dict.fromkeys(range(len(counts)), 0.02)
    values = {"steps": 5000, "training_error": errors, "validation_error": errors, **changes}
    return Round(Trial(m, (width, width), (width, width)), dict(enumerate(counts)), **values)


def warned(last, estimates=(8.2, 7.9, 8.4), *, rounds=(), rows=10_000, dimension=100, converged=None):
    witnesses = [Witness(f"witness {place}", said, "") for place, said in enumerate(estimates)]
    found = cautions(
        last, witnesses, converged_in_width=converged, rounds=rounds or [last], rows=rows, dimension=dimension
    )
    return [caution.code for caution in found]


@pytest.mark.parametrize(
    ("counts", "vote"),
    [((8, 8, 9, 8, 7), 8), ((8, 9), 8), ((7, 7, 9, 9, 10), 9), ((5, 8, 11), 5)],
    ids=["most frequent", "tie: the smaller", "tie: more near it", "all apart: the smaller"],
)
def test_the_vote_is_the_most_frequent_count(counts, vote):
    assert of(*counts).vote == vote


def test_the_chosen_seed_found_the_vote_with_the_lowest_error_on_unseen_rows():
    errors = {0: 0.03, 1: 0.01, 2: 0.02}
    assert of(8, 9, 8, validation_error=errors).chosen_seed == 2
    assert of(8, 9, 8, validation_error={}, training_error={0: 0.1, 1: 0.0, 2: 0.2}).chosen_seed == 0


def test_a_count_near_the_capacity_doubles_it_up_to_the_data():
    assert next_trial((of(26),), 100, 0).capacity == 64
    assert next_trial((of(26),), 50, 0).capacity == 50
    assert next_trial((of(26),), 32, 0) is None
    assert next_trial((of(25),), 100, 0) is None


def test_a_larger_capacity_answers_only_if_it_makes_eq_17_smaller():
    """Eq 17 of the median seed is 3 at m = 32."""
    full = of(32, 32, 31, objective={0: 3.0, 1: 2.0, 2: 9.0})
    better, worse = (of(45, 45, 46, m=64, objective=dict.fromkeys(range(3), value)) for value in (2.9, 3.1))
    assert next_trial((full,), 100, 0).capacity == 64
    assert answering((full, better)) is better
    assert answering((full, worse)) is full
    assert next_trial((full, worse), 100, 0) is None
    assert (
        next_trial((full, worse), 100, 256).capacity == 32
    )  # wider nets are compared at the capacity that holds
    wide = of(32, 32, 32, width=256, objective=dict.fromkeys(range(3), 4.0))
    assert answering((full, worse, wide)) is wide  # whose eq 17 may be larger: it is another net
    assert is_converged_in_width((full, worse, wide)) is True
    assert answering((of(30), of(60, m=64))).vote == 60  # where eq 17 was not measured
    assert warned(full, (32, 31), rounds=(full, worse)) == ["at_capacity"]
    assert warned(better, (45, 46), rounds=(full, better)) == []


@pytest.mark.parametrize(
    ("unseen", "linear", "codes"),
    [
        (0.22, 0.22, ["no_better_than_linear"]),
        (0.22, 0.24, []),  # a net that sees how the data are bent
        (0.04, 0.04, []),  # little is left by either
        (0.22, None, []),
        (0.4, 0.3, ["poor_reconstruction", "no_better_than_linear"]),
    ],
)
def test_a_net_that_does_no_better_than_principal_components_is_warned_of(unseen, linear, codes):
    errors = {
        "training_error": dict.fromkeys(range(3), unseen),
        "validation_error": dict.fromkeys(range(3), unseen),
    }
    linear_error = {} if linear is None else dict.fromkeys(range(3), linear)
    assert warned(of(8, 8, 8, **errors, linear_error=linear_error)) == codes


def test_nets_are_widened_until_two_agree_or_none_may_be_wider():
    narrow, wide, wider = of(21), of(14, width=256), of(9, width=512)
    assert next_trial((narrow,), 100, 512).hidden == (256, 256)
    assert next_trial((narrow, wide), 100, 512).critic_hidden == (512, 512)
    assert next_trial((narrow, wide, wider), 100, 512) is None
    assert is_converged_in_width((narrow, wide, wider)) is False
    assert next_trial((narrow, of(20, width=256)), 100, 512) is None
    assert is_converged_in_width((narrow, of(20, width=256))) is True
    assert is_converged_in_width((narrow,)) is None


def test_rounds_of_another_capacity_are_not_compared():
    assert is_converged_in_width((of(28), of(29, m=64))) is None
    assert next_trial((of(28), of(29, m=64)), 100, 256).hidden == (256, 256)


def test_a_count_that_all_agree_on_is_not_warned_about():
    assert warned(of(8, 8, 8, 9, 8)) == []
    assert warned(of(8, 8, 8, 9, 8), converged=True) == []
    assert warned(of(8, 8), estimates=(None, 8.0)) == []
    assert warned(of(8, 8), estimates=()) == []


@pytest.mark.parametrize(
    ("last", "changes", "code"),
    [
        (of(30, 31, 30), {"estimates": (30.0,)}, "at_capacity"),
        (of(4, 4, m=4), {"estimates": (3.8,), "dimension": 4}, "at_capacity"),
        (of(0, 0), {}, "collapsed"),
        (of(8, 8, settled=False), {}, "not_settled"),
        (of(8, 8, 11), {}, "seeds_disagree"),
        (of(8, 8, lost={2: "loss"}), {}, "seeds_lost"),
        (of(8, 8), {"converged": False}, "not_converged_in_width"),
        (of(21, 20, 21), {"estimates": (9.1, 10.0)}, "witnesses_disagree"),
        (of(8, 8), {"estimates": (14.0, 17.0)}, "witnesses_disagree"),
        (of(8, 8), {"rows": 500}, "few_rows"),
        (of(8, 8, validation_error={0: 0.4, 1: 0.4}), {}, "poor_reconstruction"),
        (of(8, 8, validation_error={0: 0.2, 1: 0.2}), {}, "learned_by_heart"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_count_is_said(last, changes, code):
    assert code in warned(last, **changes)


def test_every_warning_says_what_to_do():
    last = of(30, 5, 30, settled=False, validation_error={0: 0.9, 1: 0.9, 2: 0.9})
    found = list(
        cautions(
            last, [Witness("MLE", 2.0, "")], converged_in_width=False, rounds=[last], rows=100, dimension=32
        )
    )
    assert len(found) >= 6
    for caution in found:
        assert caution.sentence.endswith(".")
        assert caution.remedy.endswith(".")


def test_an_answer_is_written_as_json():
    answer = Count((of(26, 25, 26), of(9, 9, 8, m=64)), (Witness("TwoNN", None, "ties"),), (), None, 900, 100)
    values = json.loads(json.dumps(answer.to_dict()))
    assert (values["dimensions"], values["counts"], values["agreeing"]) == (9, [9, 9, 8], 2)
    assert [each["trial"]["capacity"] for each in values["rounds"]] == [32, 64]
    assert values["witnesses"] == [{"name": "TwoNN", "dimension": None, "reason": "ties"}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"preset": "rubust"}, "preset = 'rubust' is unknown; give 'paper' or 'robust'"),
        ({"seeds": (1, 1)}, "each once"),
        ({"network": "cnn"}, "network = 'cnn' is unknown; give 'auto', 'mlp' or 'convolutional'"),
        ({"hidden": ()}, "hidden"),
        ({"critic_hidden": (0,)}, "critic_hidden"),
        ({"steps": 1}, "steps = 1: must be at least 2"),
        ({"batch_size": 1}, "batch_size = 1: must be at least 2"),
        ({"validation_share": 1.0}, "validation_share"),
        ({"refinement_share": 0.0}, "refinement_share"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        CountSettings(**changes)


@pytest.mark.parametrize("capacity", [-1, 0, 101])
def test_a_capacity_that_does_not_fit_the_data_is_refused(capacity):
    settings = dataclasses.replace(CountSettings(), capacity=capacity)
    with pytest.raises(ValueError, match="must be from 1 to 100"):
        settings.first_capacity(100)
    assert CountSettings().first_capacity(100) == 32
    assert CountSettings().first_capacity(7) == 7


@pytest.mark.parametrize(
    ("kind", "shape", "network", "channels"),
    [
        ("images", (32, 32, 3), "auto", (8, 16, 32)),
        ("images", (32, 32, 3), "convolutional", (8, 16, 32)),
        ("images", (32, 32, 3), "mlp", ()),
        ("images", (8, 8, 1), "auto", ()),
        ("vectors", (100,), "auto", ()),
    ],
)
def test_images_start_with_convolutional_nets(kind, shape, network, channels):
    first = CountSettings(network=network).first_trial(kind, shape)
    assert first == Trial(32, (128, 128), (128, 128), channels)
    assert first.doubled() == Trial(32, (256, 256), (256, 256), tuple(2 * width for width in channels))
    assert first.widest == (max(channels) if channels else 128)


def test_convolutional_nets_take_a_quarter_of_the_lengths_that_are_not_given():
    mlp, convolutional = Trial(32, (128,), (128,)), Trial(32, (128,), (128,), (8, 16))
    open_, given = CountSettings(), CountSettings(steps=800)
    assert [open_.longest(trial) for trial in (mlp, convolutional)] == [16_000, 4_000]
    assert [open_.first_reading(trial) for trial in (mlp, convolutional)] == [1080, 270]
    assert [given.longest(trial) for trial in (mlp, convolutional)] == [800, 800]
    assert [given.first_reading(trial) for trial in (mlp, convolutional)] == [180, 180]
    assert dataclasses.replace(given, shortest_search=None).first_reading(mlp) == 800


@pytest.mark.parametrize(
    ("kind", "shape", "what"),
    [("images", (30, 30, 1), "images of 30 x 30"), ("vectors", (100,), "vectors")],
)
def test_convolutions_that_the_data_cannot_have_are_refused(kind, shape, what):
    with pytest.raises(ValueError, match=f"{what} cannot be halved often enough; give 'auto' or 'mlp'"):
        CountSettings(network="convolutional").first_trial(kind, shape)
