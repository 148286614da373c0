"""The answer in words."""

import pytest

from maskaae.counting.answer import Caution, Count, Round, Trial
from maskaae.counting.phrases import WIDTH, answer_text, headline, trial_text, witnesses_text
from maskaae.evaluation.witnesses import Witness

HEARD = (Witness("TwoNN", 8.24, "read from 2000 rows"), Witness("MLE", None, "rows repeat each other"))


def of(*counts, codes=(), settled=True, heard=HEARD, converged=None, error=0.021):
    """A count with warnings of some codes."""
    errors = {} if error is None else dict.fromkeys(range(len(counts)), error)
    done = Round(
        Trial(32, (128, 128), (128, 128)),
        dict(enumerate(counts)),
        3000,
        settled=settled,
        training_error=errors,
        validation_error=errors,
    )
    warnings = tuple(Caution(code, f"What {code} says.", f"What to do of {code}.") for code in codes)
    return Count((done,), heard, warnings, converged, 9000, 100)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (of(8, 8), "Your data need 8 dimensions."),
        (of(1, 1), "Your data need 1 dimension."),
        (
            of(8, 8, codes=["few_rows"]),
            "Your data need about 8 dimensions; see the warnings before you rely on it.",
        ),
        (of(30, 30, codes=["at_capacity"]), "Your data need about 30 dimensions or more; see the warnings."),
        (  # kept for the capacity's sake or learned by heart: too low and too high are both possible
            of(30, 30, codes=["at_capacity", "learned_by_heart"]),
            "Your data need about 30 dimensions; see the warnings before you rely on it.",
        ),
        (of(0, 0, codes=["collapsed"]), "No answer: every dimension was closed."),
    ],
)
def test_the_first_line_is_the_number_and_whether_to_believe_it(count, said):
    assert headline(count) == said
    assert answer_text(count).splitlines()[0] == said


def words(count):
    return " ".join(answer_text(count).split())


def test_how_sure_it_is_is_said():
    said = words(of(8, 9, 8))
    assert "2 of 3 seeds found that many (8, 9, 8), of 32 that they could have used." in said
    assert "It settled within 3,000 steps" in said
    assert "TwoNN 8.2; MLE cannot say: rows repeat each other." in said
    assert "leaves 2.1% of the variance of unseen rows unexplained (2.1% of those" in said
    assert "was not tried (--widest 256 tries it)" in said
    assert "Warning" not in said


def test_what_was_not_looked_at_is_not_claimed():
    said = words(of(8, settled=None, heard=(), error=None, converged=True))
    assert "One seed found that many, of 32 that it could have used" in said
    assert "A net twice as wide counts the same" in said
    for claim in ("settled", "unseen", "Estimators", "--widest"):
        assert claim not in said
    assert "settled" not in words(of(8, 8, settled=False))


def test_every_doubt_is_said_with_what_to_do():
    said = words(of(8, 8, codes=["few_rows", "not_settled"]))
    assert "Warning: What few_rows says. What to do of few_rows." in said
    assert "Warning: What not_settled says. What to do of not_settled." in said


def test_lines_fit_a_terminal():
    long = Caution("few_rows", "A long sentence of many words. " * 8, "Do something about it.")
    count = Count(of(8, 8).rounds, HEARD, (long,), None, 9000, 100)
    assert max(map(len, answer_text(count).splitlines())) <= WIDTH


def test_only_silent_witnesses_are_quoted_alone():
    assert witnesses_text(HEARD[1:]) == "MLE cannot say: rows repeat each other"


def test_a_trial_is_named_before_it_begins():
    said = trial_text(Trial(32, (128, 64), (16,)), 5, 8000)
    assert said == "Training 5 seeds with 32 dimensions, nets of 128 x 64, at most 8,000 steps"
    said = trial_text(Trial(32, (128, 64), (16,), (8, 16)), 5, 8000)
    assert "with 32 dimensions, convolutional nets of 8 x 16 channels, at most" in said
    assert trial_text(Trial(4, (8,), (8,)), 1, 20).startswith("Training 1 seed with 4 dimensions")
