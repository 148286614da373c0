"""What made a folder of results is kept with it, and a change of code or configuration makes them stale."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from maskaae import provenance
from maskaae.config.checking import check_config
from maskaae.config.reading import read_config
from maskaae.report import freshness
from maskaae.report.freshness import Program, Provenance, Trained

ROOT = Path(__file__).parents[2]
REAL = ("config/real_cpu.yaml", "docs/results/real/experiment.yaml")
FOLDERS = sorted(path.parent for path in (ROOT / "docs/results").rglob(freshness.FILE))


@pytest.fixture
def repository(tmp_path):
    """A repository of one script, one configuration and one record of them."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/fig4.py").write_text("draw = 1\n")
    (tmp_path / "experiment.yaml").write_text("seeds: [0, 1]  # two\n")
    record = Provenance(
        command="make it",
        commits=("0123456789",),
        machine="a machine",
        made="2020-01-01",
        programs=(Program("scripts/fig4.py").hashed(tmp_path),),
        configuration="experiment.yaml",
        configuration_sha256=freshness.configuration_hash(tmp_path / "experiment.yaml"),
        trained=Trained(presets=("robust",), networks=("MLP 64-64",), steps=(8000,), seeds=(3, 4, 5)),
    )
    record.write(tmp_path)
    yield tmp_path
    provenance.code_version.cache_clear()
    provenance._read.cache_clear()


def changes(repository):
    provenance.code_version.cache_clear()
    provenance._read.cache_clear()
    provenance.import_closure.cache_clear()
    return Provenance.read(repository).changes(repository)


def test_record_survives_its_file_and_is_fresh(repository):
    assert changes(repository) == {}
    assert Provenance.read(repository).programs[0].sha256


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("scripts/fig4.py", "draw = 2\n", {"figures and tables": ["fig4"]}),
        ("scripts/fig4.py", "draw = 1  # a word\n", {}),
        ("experiment.yaml", "seeds: [0, 2]\n", {"configuration": ["experiment.yaml"]}),
        ("experiment.yaml", "# other words\nseeds: [0, 1]\n", {}),
    ],
)
def test_what_decides_numbers_makes_stale_and_comments_do_not(repository, file, text, expected):
    (repository / file).write_text(text)
    assert changes(repository) == expected


def test_script_that_is_gone_makes_stale(repository):
    shutil.rmtree(repository / "scripts")
    assert changes(repository) == {"figures and tables": ["fig4"]}


def test_sentence_says_whose_numbers_they_are(repository):
    sentence = Provenance.read(repository).sentence()
    for part in (
        "`robust`",
        "`experiment.yaml`",
        "MLP 64-64",
        "8,000 steps",
        "seeds 3 to 5",
        "0123456",
        "a machine",
    ):
        assert part in sentence


def test_programs_of_an_experiment_are_those_behind_what_it_shows():
    experiment = check_config(read_config(ROOT / "config/claims.yaml"))
    found = freshness.programs(experiment, ["table2"])
    trained = {program.name for program in found if program.script == "scripts/train.py"}
    assert trained == {"NestedMaskedAdversarialAutoEncoder", "WassersteinAutoEncoder"}
    assert {program.name for program in found if program.script == "scripts/tune.py"} == {
        "WassersteinAutoEncoder"
    }
    assert {program.name for program in found if program.stage == "data"} == {"synthetic", "digits"}
    more = freshness.programs(experiment, ["claims"])
    assert {"RegularisedAutoEncoder", "TwoStageVae"} <= {program.name for program in more}
    assert all((ROOT / program.script).is_file() for program in found | more)


def test_training_has_the_hash_of_the_code_that_ran(tmp_path):
    experiment = check_config(read_config(ROOT / "config/paper_cpu.yaml"))
    record = {"code_sha256": "of then", "commit": "c", "device": "cpu", "seconds": 1800}
    runs = freshness.shown_runs(experiment, "fig4")["metrics.csv"]
    for dataset, label, m in runs:
        folder = tmp_path / f"runs/{dataset}/{label}/m{m}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(record))
    said = freshness.describe_experiment(experiment, ["fig4"], tmp_path)
    assert {program.sha256 for program in said["programs"]} == {"of then"}
    assert said["hours"] == 0.5 * len(runs) > 0
    assert said["trained"].words() == "Preset `paper`; MLP 64-64; 500,000 steps; seeds 0 to 4"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_records_in_the_repository_can_be_read(folder):
    record = Provenance.read(folder)
    assert record.commits and record.programs and record.sentence()
    assert not record.configuration or (ROOT / record.configuration).is_file()
    assert dataclasses.asdict(record)["command"].startswith("make ")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_record_knows_the_code_of_the_package_behind_its_numbers(folder):
    """A script that only starts `maskaae` imports nothing: no change would make its results stale."""
    programs = Provenance.read(folder).programs
    behind = [provenance.import_closure(ROOT / one.script, one.entry_points, one.table) for one in programs]
    assert any(behind)


def test_a_commit_of_a_checkout_with_changes_says_so(repository):
    clean, changed = "0123456789" * 4, "9876543210" * 4 + "-dirty"
    record = dataclasses.replace(Provenance.read(repository), commits=(clean, changed))
    assert "commits 0123456, 9876543-dirty; a machine" in record.sentence()


def test_the_pair_of_the_real_data_is_a_part_of_the_whole():
    """`make real` goes on from `make real_pair` only where both train and evaluate alike."""
    whole, pair = (read_config(ROOT / name) for name in REAL)
    shown = {"figures", "tables", "claims", "datasets"}
    assert {key: pair[key] for key in pair.keys() - shown} == {
        key: whole[key] for key in whole.keys() - shown
    }
    entries = {entry["name"]: entry for entry in whole["datasets"]}
    for part in pair["datasets"]:
        entry = entries[part["name"]]
        asked = part.pop("capacities")
        assert asked == {model: entry["capacities"][model] for model in asked}
        assert part.items() <= entry.items()


def test_every_folder_of_results_has_a_record():
    made = {path.parent for path in (ROOT / "docs/results").rglob("*.csv")} - {ROOT / "docs/results"}
    assert made <= set(FOLDERS)


def test_counts_on_families_are_of_the_commits_and_hours_of_their_files(tmp_path):
    experiment = check_config(read_config(ROOT / "config/count_families.yaml"))
    (tmp_path / "counts").mkdir()
    for name in experiment.count_families["judging"]:
        answer = {"commit": "0123", "seconds": 36.0, "device": "cpu"}
        (tmp_path / f"counts/{name}.json").write_text(json.dumps(answer))
    said = freshness.describe_experiment(experiment, ["count_families"], tmp_path)
    assert said["commits"] == ("0123",)
    assert said["hours"] == pytest.approx(len(experiment.count_families["judging"]) / 100)
    scripts = {program.name for program in freshness.programs(experiment, ["count_families"])}
    assert scripts == {"synthetic", "shapes", "count_family", "count_families"}


def test_every_script_of_the_workflow_is_a_program_of_some_result():
    """A rule whose script no record knows could change numbers without anything becoming stale."""
    known = set()
    for name in ("smoke", "real_cpu", "paper_cpu", "count_families"):
        experiment = check_config(read_config(ROOT / f"config/{name}.yaml"))
        found = freshness.programs(experiment, freshness.everything(experiment))
        known |= {Path(program.script).stem for program in found}
    fetch = {"download", "download_inception"}  # published files, held to their hashes
    not_in_docs = {"gather_metrics", "own_summary", "own_model"}
    assert {path.stem for path in (ROOT / "scripts").glob("*.py")} - known <= fetch | not_in_docs
