"""What is said in the end about the user's own data."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from maskaae.report.document import to_html, to_markdown
from maskaae.report.own_count import count_of, rounds_of
from maskaae.report.summary import BestModel, Findings, best_model, data_notes, summarise

INFO = {"n_train": 1000, "n_test": 20, "kind": "vectors", "shape": [40], "source": "table"}
INFO["details"] = {"path": "my.csv"}


def metrics(*rows):
    """Last checkpoints (m, seed, active, FID) of MAAE, after an earlier one whose numbers must not count."""
    early = [("own", "maae", m, seed, 1, 1, 0.0) for m, seed, _, _ in rows]
    end = [("own", "maae", m, seed, 2, active, fid) for m, seed, active, fid in rows]
    wae = [("own", "wae", m, seed, 2, m, 0.5) for m, seed, _, _ in rows]
    columns = ["dataset", "model", "m", "seed", "step", "active", "fd_raw_10k"]
    return pd.DataFrame([*early, *end, *wae], columns=columns).assign(preset="robust")


def record(unseen=0.1, settled=None, lost=()):
    """run.json of a run, whose search was read twice, as far as the summary reads it."""
    seeds = ["0", "1", "2"]
    settled = dict.fromkeys(seeds, 500) if settled is None else settled
    return {
        "spec": {"network": "mlp", "hidden": [128, 128], "critic_hidden": [128, 128], "channels": []},
        "plan": {"steps": 2000},
        "steps": 1500,
        "lost": {str(seed): "NaN" for seed in lost},
        "validation": {
            "rows": 100,
            "unexplained": {"seen": dict.fromkeys(seeds, 0.1), "unseen": dict.fromkeys(seeds, unseen)},
            "linear": dict.fromkeys(seeds, 0.9),
        },
        "search": {"readings": [{"step": 500}, {"step": 1000}], "settled": settled},
    }


def findings(frame, records=None, witnesses=(5.5, 6.0), **changes):
    records = records or {int(m): record() for m in frame["m"].unique()}
    names = ("TwoNN", "MLE")
    found = Findings(
        frame,
        "fd_raw_10k",
        INFO,
        records,
        portrait={
            "rows": 20,
            "unexplained": 0.034,
            "witnesses": [
                {"name": name, "dimension": value, "reason": ""}
                for name, value in zip(names, witnesses, strict=True)
            ],
        },
        errors=pd.DataFrame({"column": ["7", "height"], "error": [2.0, 0.1], "unexplained": [0.4, 0.01]}),
        dimensions=pd.DataFrame(
            {"dimension": 1, "column": ["height", "age"], "low": [150, 1], "high": [190, 2], "moved": [3, 0]}
        ),
        run=Path("/runs/own/maae/m16"),
        model=Path("/own/model"),
        examples=Path("/own/examples.png"),
        dimensions_picture=Path("/own/dimensions.png"),
        figures=[Path("/figures/cuts.png")],
    )  # fmt: skip
    return replace(found, **changes)


def text_of(found):
    return to_markdown(summarise(found))


AGREED = metrics((8, 0, 6, 3.0), (8, 1, 6, 2.0), (16, 0, 6, 3.0), (16, 1, 7, 3.0))


def test_best_model_is_the_maae_of_lowest_fid_at_the_last_checkpoint():
    frame = metrics((8, 0, 5, 3.0), (8, 1, 4, 2.0), (16, 0, 0, 1.0), (16, 1, 6, np.nan))
    assert best_model(frame, "fd_raw_10k") == BestModel("maae", m=8, seed=1, active=4, fid=2.0)


def test_the_answer_comes_first_and_says_how_sure_it_is():
    text = text_of(findings(AGREED))
    assert text.splitlines()[2] == "**Your data need 6 dimensions.**"
    head = text.partition("## ")[0]
    assert (
        "3 of 4 runs of MAAE (robust) found exactly that many; they found 6 to 7. Tried were m = 8, 16"
        in head
    )
    assert "TwoNN 5.5, MLE 6.0" in head
    assert "leaves 3.4% of the variance of 20 unseen rows unexplained" in head
    assert "had stopped moving" in head
    assert "speaks against it" not in head


def test_every_run_with_dimensions_to_spare_votes_and_the_others_do_not():
    """4 of 4 is no count: the capacity held it down."""
    frame = metrics((4, 0, 4, 1.0), (8, 0, 5, 1.0), (8, 1, 6, 1.0), (16, 0, 6, 1.0))
    count = count_of(rounds_of(frame, {m: record() for m in (4, 8, 16)}), (), 1000, 40)
    assert (count.counts, count.dimensions) == ((5, 6, 6), 6)


@pytest.mark.parametrize(
    ("frame", "records", "said"),
    [
        (metrics((8, 0, 8, 1.0), (16, 0, 16, 1.0)), None, ["keeps all of 16 dimensions", "`capacities:"]),
        (metrics((16, 0, 5, 1.0), (16, 1, 11, 1.0)), None, ["seeds disagree: 5, 11", "`seeds:"]),
        (metrics((16, 0, 5, 1.0), (32, 0, 9, 1.0)), None, ["capacities disagree: 5 of m = 16, 9 of m = 32"]),
        (metrics((16, 0, 6, 1.0)), {16: record(settled={"0": None})}, ["still moved", "`training:"]),
        (metrics((16, 0, 1, 1.0)), None, ["count of 1 is smaller", "`network:"]),
        (metrics((16, 0, 0, 1.0)), None, ["No answer", "closed every dimension", "reconstruction_weight"]),
        (metrics((16, 0, 6, 1.0)), {16: record(unseen=0.5)}, ["50% of the variance of unseen rows"]),
        (metrics((16, 0, 6, 1.0)), {16: record(lost=[1])}, ["1 of 2 seeds diverged"]),
    ],
    ids=["all kept", "seeds", "capacities", "settled", "witnesses", "collapsed", "error", "lost"],
)
def test_what_speaks_against_the_count_is_said_with_what_to_do(frame, records, said):
    head = text_of(findings(frame, records)).partition("## ")[0]
    assert "**What speaks against it, and what to do:**" in head
    for words in said:
        assert words in head


def test_counts_read_once_are_not_said_to_have_settled():
    once = {8: record(), 16: record()}
    for each in once.values():
        each["search"]["readings"] = each["search"]["readings"][:1]
    text = text_of(findings(AGREED, once))
    assert "stopped moving" not in text and "still moved" not in text


def test_columns_that_a_dimension_moves_and_columns_that_are_lost_are_named():
    text = text_of(findings(AGREED))
    assert "| 1 | height: 150 to 190 |" in text, "age is hardly moved"
    assert "| column 7 | 2 | 40.0% |\n| height | 0.1 | 1.0% |" in text


def test_the_summary_says_how_firm_the_count_is():
    """Medians over the runs that masked something: 5 of 8 and 6 of 16, not the 8 of 8."""
    frame = metrics((8, 0, 5, 3.0), (16, 0, 6, 3.0), (8, 1, 8, 3.0))
    assert "reconstruction weighed" not in text_of(findings(frame))
    frame = frame.assign(active_low=frame["active"] - 1, active_high=frame["active"] + 2)
    words = "4 times less, the same searches would have chosen 4.5 dimensions, 4 times more 7.5"
    assert words in text_of(findings(frame))


def test_images_have_a_picture_of_what_dimensions_do_and_no_columns():
    """What is read of a table without rows has no numbers in it."""
    none = pd.read_csv(StringIO("column,error,unexplained\n"))
    places = pd.DataFrame({"dimension": [1, 1], "place": [-2.0, 2.0]})
    info = {**INFO, "kind": "images", "shape": [8, 8, 1]}
    text = text_of(findings(AGREED, info=info, errors=none, dimensions=places))
    assert "The first test image, reconstructed while one dimension" in text
    assert "worst columns" not in text and "3.4% of the variance" in text


def test_a_better_wae_is_not_kept_from_the_user():
    assert "A WAE has a lower Fréchet distance: m = 8, seed 0 (0.5)" in text_of(findings(AGREED))
    assert "A WAE has a lower" not in text_of(findings(metrics((8, 0, 5, 0.4))))


def test_where_every_mask_collapsed_the_wae_is_offered():
    text = text_of(findings(metrics((8, 0, 0, 1.0), (16, 0, 0, 2.0))))
    assert "the WAE with the lowest" in text and "because no MAAE has a dimension left" in text
    without = metrics((8, 0, 0, 1.0)).query("model == 'maae'")
    assert "None: every mask closed all dimensions" in text_of(findings(without))


def test_the_page_holds_its_pictures_and_escapes_names(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    picture = tmp_path / "a.png"
    errors = pd.DataFrame({"column": ["<b>|"], "error": [1.0], "unexplained": [0.5]})
    found = findings(AGREED, errors=errors, examples=picture, dimensions_picture=picture, figures=[picture])
    page = to_html(summarise(found), "Title")
    assert page.count('src="data:image/png;base64,') == 3
    assert "&lt;b&gt;|" in page and "<code>my.csv</code>" in page and "<b>Your data need" in page
    assert r"| <b>\| | 1 | 50.0% |" in text_of(found)


def test_notes_name_constant_columns_duplicates_conversions_and_what_reading_said():
    details = {
        "scaling": {"method": "standardise", "columns": ["age", "site"], "constant": [1]},
        "duplicates": {"test_rows_in_train": 3, "first": 0},
        "converted": {"16 bits to 8": {"count": 4, "first": "a.png"}},
        "reading": {"guessed": ["decimal commas"], "left_out": ["column id"], "warnings": []},
    }
    notes = data_notes({**INFO, "shape": [2], "details": details})
    assert {"decimal commas", "column id"} <= set(notes)
    said = " ".join(notes)
    assert "not scaled: site" in said
    assert "3 test examples" in said
    assert "16 bits to 8, 4 images" in said
