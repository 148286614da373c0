"""Numbers in pages are those of the csv under docs/results, and no page types one by hand."""

import dataclasses
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import make_pages  # noqa: E402
import parts_claims  # noqa: E402
import parts_results  # noqa: E402
import redraw  # noqa: E402

from maskaae.report.freshness import Provenance  # noqa: E402

PARTS = make_pages.all_parts()
PAGES = [page for page in make_pages.pages() if make_pages.BLOCK.search(page.read_text())]
BY_HAND_OF_NO_RESULT = ["README.md", "docs/claims.md", "docs/paper.md"]
"""Pages whose every measured number stands in a part."""
MEASURED = re.compile(r"\b\d+\.\d+\b|\b\d+ of \d+\b|\b\d+ (?:times|minutes|hours|min)\b|\[\d")
KNOWN = re.compile(r"arxiv[^)]*|1912\.04564|3\.1[123]|95 %|99 %")


def without_banner(text: str) -> str:
    """Leave out the warning of stale results: it changes with every change of code, no number does."""
    return re.sub(r" \*\*Of older code\.\*\*[^\n]*", "", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_quotes_a_number_that_its_csv_does_not_hold(page):
    text = page.read_text()
    assert without_banner(make_pages.filled(text, PARTS)) == without_banner(text), "run `make pages`"


@pytest.mark.parametrize("name", BY_HAND_OF_NO_RESULT)
def test_no_measured_number_is_typed_by_hand(name):
    prose = make_pages.BLOCK.sub("", (ROOT / name).read_text())
    prose = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", "", prose, flags=re.DOTALL)
    typed = [line for line in prose.splitlines() if MEASURED.search(KNOWN.sub("", line))]
    assert typed == []


def test_a_page_with_another_number_is_behind_and_named():
    page = "<!-- score: made by make pages -->\n\n0.5\n\n<!-- end of score -->\n"
    parts = {"score": lambda: "0.6"}
    assert make_pages.behind(page, parts) == ["score"]
    filled = make_pages.filled(page, parts)
    assert "0.6" in filled and "0.5" not in filled
    assert make_pages.behind(filled, parts) == []


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<!-- score: made by make pages -->\n0.5\n", "score: no line '<!-- end of score -->'"),
        ("<!-- scre: made by make pages -->\n<!-- end of scre -->", "scre: no such part; known: score"),
    ],
)
def test_a_mark_without_end_or_part_is_refused_by_name(page, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_pages.filled(page, {"score": str})


def test_the_score_has_a_row_a_claim_and_says_not_run_without_results(monkeypatch, tmp_path):
    monkeypatch.setattr(parts_claims, "RESULTS", tmp_path)
    monkeypatch.setattr(parts_results, "RESULTS", tmp_path)
    rows = [line for line in parts_claims.score().splitlines() if line.startswith("| (")]
    assert len(rows) == 8
    assert all(row.endswith("| not run | not run |") for row in rows)


def test_the_score_names_both_presets_before_any_other_number():
    readme = (ROOT / "README.md").read_text()
    before = readme[: readme.index("<!-- score")]
    assert not MEASURED.search(KNOWN.sub("", before))
    score = parts_claims.score()
    assert "MAAE (paper)" in score and "MAAE (robust)" in score and "What is against us" in score


def test_a_short_run_of_the_released_method_gives_no_verdict(monkeypatch, tmp_path):
    """What was trained for less than the released length is not what the score is about."""
    folder = tmp_path / "paper"
    shutil.copytree(ROOT / "docs/results/claims", folder)
    record = Provenance.read(folder)
    monkeypatch.setattr(parts_claims, "RESULTS", tmp_path)
    monkeypatch.setattr(parts_results, "RESULTS", tmp_path)
    dataclasses.replace(record, trained=dataclasses.replace(record.trained, steps=(5000,))).write(folder)
    assert "**supported**" not in parts_claims.score()
    dataclasses.replace(record, trained=dataclasses.replace(record.trained, steps=(500_000,))).write(folder)
    rows = [line for line in parts_claims.score().splitlines() if line.startswith("| (h)")]
    assert [row.endswith("| **supported** | not run |") for row in rows] == [True]


def test_drawing_again_renews_what_a_record_says_of_figures_and_nothing_else(tmp_path):
    record = Provenance.read(ROOT / "docs/results/ablations")
    old = tuple(dataclasses.replace(program, sha256="old") for program in record.programs)
    dataclasses.replace(record, programs=old).write(tmp_path)
    redraw.record_drawing(tmp_path, ["comparison"])
    renewed = [program.name for program in Provenance.read(tmp_path).programs if program.sha256 != "old"]
    assert renewed == ["comparison"]


@pytest.mark.parametrize("folder", ["ablations", "why_it_fails"])
def test_every_group_of_a_comparison_has_a_picture(folder):
    part = PARTS[folder]()
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", part)
    assert len(pictures) == part.count("\n**") > 1
    assert all((ROOT / "docs" / picture).is_file() for picture in pictures)


def test_the_page_says_how_many_of_the_families_were_counted(monkeypatch, tmp_path):
    folder = tmp_path / "count_families"
    folder.mkdir()
    columns = "dataset,n,error,counts,vote,warnings"
    (folder / "count_families.csv").write_text(
        f"{columns}\na,4,0,4 4,4,\nb,16,-3,13 13,13,not_settled\nc,8,3,11 11,11,\n"
    )
    Provenance.read(ROOT / "docs/results/ablations").write(folder)
    monkeypatch.setattr(parts_results, "RESULTS", tmp_path)
    part = parts_results.count_families()
    assert "3 of the 44 data sets for judging were counted so far; 41 are left." in part
    assert "| n <= 16, exact | 80 % | 33% (1 of 3) |" in part
    assert "| off by more than two, no warning | 0 | 1 of 3 |" in part
    assert "| b | 16 | 13 13 | 13 | not_settled |" in part and "| c | 8 | 11 11 | 11 | – |" in part
    assert "| a |" not in part


def test_captions_of_pictures_leave_out_what_a_configuration_would_say():
    captions = re.findall(r"!\[([^\]]+)\]", PARTS["pictures.paper"]())
    assert captions and not [caption for caption in captions if caption.endswith(": data sets")]


def test_starts_of_masks_are_drawn_again_from_their_csv(tmp_path):
    shutil.copy(ROOT / "docs/results/paper/mask_starts.csv", tmp_path)
    assert redraw.draw_folder(tmp_path) == ["mask_starts"]
    assert (tmp_path / "mask_starts.png").stat().st_size > 0
