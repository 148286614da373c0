"""The DAG: what is planned, what is refused while it is parsed, and a run through every rule."""

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from maskaae.data.registry import SOURCES

REPOSITORY = Path(__file__).parent.parent
OTHER_SOURCES = set(SOURCES) - {"synthetic", "digits"}
"""Sources whose data the smoke configuration cannot have."""


def snakemake(folder, *arguments, config="config/smoke.yaml", check=True, repository=REPOSITORY, path=()):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "workflow/Snakefile")]
    command += ["--directory", str(folder), *arguments]
    if config:
        command += ["--configfile", str(repository / config)]
    modules = os.pathsep.join(map(str, [repository / "src", *path]))
    environment = {**os.environ, "PYTHONPATH": modules, "UNDECLARED": str(folder / "undeclared")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    if check:
        assert result.returncode == 0, result.stderr[-3000:]
    return result


def planned(result):
    """Jobs of a dry run: rule name to count."""
    lines = result.stdout.split("Job stats:")[1].splitlines()[3:]
    rows = [line.split() for line in lines]
    return {row[0]: int(row[1]) for row in rows[: rows.index([])]}


def test_paper_grid_is_planned_without_data_or_network(tmp_path):
    jobs = planned(snakemake(tmp_path, "--dry-run", "--cores", "8", "--resources", "gpu=2", config=None))
    assert jobs["train"] == 2 * (10 + 10 + 9 + 1 + 2 + 2) + 9 * 4  # WAE and MAAE, and nine others at m = 64
    assert {f"fig{k}" for k in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)} | {"table1", "table2"} <= set(jobs)


def test_workstation_is_a_profile_that_the_paper_grid_is_planned_with(tmp_path):
    profile = REPOSITORY / "workflow/profiles/workstation"
    assert planned(snakemake(tmp_path, "--dry-run", "--profile", str(profile), config=None))["train"] == 104
    assert yaml.safe_load((profile / "profile.yaml").read_text())["resources"] == {"gpu": 2}


def test_every_family_is_counted_by_a_job_of_its_own_and_nothing_is_trained(tmp_path):
    asked = ("count_families", "--dry-run")
    jobs = planned(snakemake(tmp_path, *asked, config="config/count_families.yaml"))
    prepared = {"prepare_synthetic": 39, "prepare_shapes": 5}
    assert jobs == {**prepared, "count_family": 44, "count_families": 1, "total": 89}


def test_demo_leaves_out_what_is_on_request_and_table_1_asks_for_its_models_alone(tmp_path):
    demo = planned(snakemake(tmp_path, "--dry-run", config="config/demo.yaml"))
    assert demo["train"] == 2 * (4 + 4 + 3)
    assert not {"table1", "model_samples", "models_over_capacity"} & set(demo)
    asked = planned(snakemake(tmp_path, "--dry-run", "table1", config="config/demo.yaml"))
    assert (asked["train"], asked["evaluate"]) == (11, 11)


def test_data_under_two_names_have_one_classifier(tmp_path):
    """Both MNISTs are trained on with either preset; figures of one feature space can be compared."""
    jobs = planned(snakemake(tmp_path, "--dry-run", config="config/real_cpu.yaml"))
    assert (jobs["train_classifier"], jobs["reference_statistics"]) == (2, 4 * 2)


def test_one_config_file_is_one_experiment(tmp_path):
    """Nothing of the paper's grid leaks into another configuration."""
    jobs = planned(snakemake(tmp_path, "--dry-run"))
    assert jobs["train"] == 6
    assert not any("mnist" in name or "celeba" in name for name in jobs)


def test_nested_values_of_the_command_line_and_merge_keys_are_taken(tmp_path):
    text = (REPOSITORY / "config/smoke.yaml").read_text()
    merged = text.replace("training: {steps: 60, ", "training: {<<: {steps: 60}, ")
    assert merged != text
    (tmp_path / "merged.yaml").write_text(merged)
    asked = ["--dry-run", "--config", "seeds=[3, 4, 5]", "training={steps: 120}"]
    assert planned(snakemake(tmp_path, *asked, config=tmp_path / "merged.yaml"))["train"] == 6


def test_cost_of_another_seed_is_said_before_it_is_paid(tmp_path):
    run = tmp_path / "results/runs/tiny/maae/m3"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"spec": {"seeds": [0]}, "seconds": 4000.0}))
    for asked in (["--dry-run"], [str(run.relative_to(tmp_path) / "model.safetensors"), "--cores", "1"]):
        result = snakemake(tmp_path, *asked)
        said = result.stdout + result.stderr
        assert said.count("other seeds than [0, 1]: 1, which took 1:06:40. Those that are needed train") == 1
    assert json.loads((run / "run.json").read_text())["spec"]["seeds"] == [0, 1]
    assert "other seeds" not in str(snakemake(tmp_path, "--dry-run"))


@pytest.mark.parametrize("target", ["fig1", "results/figures/fig1.pdf"])
def test_one_figure_makes_what_it_needs_and_no_more(tmp_path, target):
    jobs = planned(snakemake(tmp_path, "--dry-run", target))
    assert jobs == {
        "prepare_synthetic": 1,
        "train": 1,
        "reference_statistics": 1,
        "evaluate": 1,
        "fig1": 1,
        "total": 5,
    }


def test_broken_configuration_is_refused_while_parsing(tmp_path):
    config = yaml.safe_load((REPOSITORY / "config/smoke.yaml").read_text())
    config["datasets"][0]["capacities"]["wae"] = [0]
    config["trainning"] = {}
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(config))
    result = snakemake(tmp_path, "--dry-run", config=tmp_path / "broken.yaml", check=False)
    assert result.returncode != 0
    said = result.stdout + result.stderr
    assert "key 'trainning' is unknown; did you mean 'training'?" in said
    assert "0 is less than the minimum of 1" in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder in which every rule has run once."""
    folder = tmp_path_factory.mktemp("smoke run with spaces")
    start = time.monotonic()
    snakemake(folder, "--cores", "2", path=[REPOSITORY / "tests/opened"])
    (folder / "seconds").write_text(str(time.monotonic() - start))
    return folder


@pytest.mark.parametrize("config", ["smoke", "config", "own_data"])
def test_every_rule_has_a_description_of_its_own(tmp_path, config):
    data = ["--config", "data=own.csv"] if config == "own_data" else []
    (tmp_path / "own.csv").write_text("a,b,c\n" + "1,2,3\n4,5,7\n" * 200)
    lines = snakemake(tmp_path, "--list-rules", *data, config=f"config/{config}.yaml").stdout.splitlines()
    described = dict(re.fullmatch(r"(\w+) \((.+)\)", line).groups() for line in lines)
    alike = {f"fig{number}" for number in (11, 12, 13)}  # as figure 10
    assert len(set(described.values())) == len(set(described) - alike) + (1 if alike & set(described) else 0)


def test_plan_says_what_a_job_makes_of_what(tmp_path):
    plan = snakemake(tmp_path, "--dry-run", "results/runs/tiny/maae/m3/model.safetensors").stdout
    training = plan.split("rule train:")[1].split("rule ")[0]
    for words in ("input: results/data/tiny/train.npy", "model.safetensors", "model=maae", "gpu=1"):
        assert words in training


def test_smoke_configuration_walks_every_rule_that_needs_no_network(tmp_path):
    listed = [line.split()[0] for line in snakemake(tmp_path, "--list-rules").stdout.splitlines()]
    jobs = planned(snakemake(tmp_path, "--dry-run"))
    offline = {
        name
        for name in listed
        if not name.startswith("download_") and name not in {f"prepare_{source}" for source in OTHER_SOURCES}
    }
    assert offline <= set(jobs) | {"all"}


def test_every_file_of_the_contract_is_there(finished):
    results = finished / "results"
    for name in ("fig1", "fig4", "fig5", "fig6", "fig7", "fig8", "fig9", "fig10"):
        for suffix in ("pdf", "png", "csv"):
            assert (results / "figures" / f"{name}.{suffix}").stat().st_size > 0
    for name in ("ablations", "why_it_fails"):
        for path in (f"tables/{name}.csv", f"tables/{name}.md", f"figures/{name}.png", f"figures/{name}.csv"):
            assert (results / path).stat().st_size > 0
    for name in ("models_over_capacity", "model_samples"):
        assert (results / "figures" / f"{name}.png").stat().st_size > 0
    for table in ("table1", "table2"):
        for suffix in ("csv", "md", "tex"):
            assert (results / "tables" / f"{table}.{suffix}").stat().st_size > 0
    run = results / "runs/digits/maae/m4"
    assert {p.name for p in run.iterdir()} >= {
        "model.safetensors",
        "history.csv",
        "run.json",
        "metrics.csv",
        "checkpoints",
    }
    assert not (run / "resume").exists()


def test_every_file_that_a_script_reads_is_an_input_of_its_rule(finished):
    lines = (finished / "undeclared").read_text().splitlines()
    assert {f"{rule} was watched" for rule in ("train", "tune", "evaluate", "claims", "fig4")} <= set(lines)
    assert [line for line in lines if " reads " in line] == []


def test_metrics_have_a_row_a_run_seed_and_checkpoint(finished):
    metrics = pd.read_csv(finished / "results/metrics.csv")
    digits = metrics["dataset"] == "digits"
    for name in ("kid", "precision", "recall"):  # asked for in the classifier's feature space
        assert metrics.loc[digits, f"{name}_classifier_200"].notna().all(), name
        assert metrics.loc[~digits, f"{name}_classifier_200"].isna().all(), name
    keys = metrics[["dataset", "model", "m", "seed", "step"]]
    assert len(keys) == len(keys.drop_duplicates()) == 5 * 2 * 3
    assert (metrics["fd_raw_200"] > 0).all()
    assert metrics.query("dataset == 'digits'")["fid_classifier_200"].notna().all()


def test_finished_run_has_nothing_to_do_until_a_module_changes(finished):
    assert "Nothing to be done" in snakemake(finished, "--dry-run").stdout
    summary = snakemake(finished, "--dry-run", "--forcerun", "fig4").stdout
    assert "train" not in summary.split("Job stats:")[1].split("total")[0]


def test_another_batch_size_of_the_evaluation_reruns_nothing(finished):
    plan = snakemake(finished, "--dry-run", "--config", "evaluation={batch_size: 100}")
    assert "Nothing to be done" in plan.stdout


def test_another_title_reruns_what_shows_it(finished, tmp_path):
    text = (REPOSITORY / "config/smoke.yaml").read_text()
    (tmp_path / "titled.yaml").write_text(text.replace("title: Digits", "title: Written digits"))
    jobs = planned(snakemake(finished, "--dry-run", config=tmp_path / "titled.yaml"))
    assert set(jobs) - {"all", "total"} == {"fig5", "fig6", "fig8", "model_samples", "table1", "claims"}


@pytest.fixture(scope="module")
def moved(finished, tmp_path_factory):
    """The checkout with its finished run, at another place."""
    folder = tmp_path_factory.mktemp("moved") / "checkout"
    shutil.copytree(finished, folder)
    for name in ("config", "scripts", "src", "workflow"):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture
def replan(moved):
    """Function: edit files of the moved checkout, plan, and put the files back; returns the jobs."""
    package, kept = moved / "src/maskaae", {}

    def plan(edits):
        for name, edit in edits.items():
            path = package / name
            kept[path] = path.read_text() if path.exists() else None
            path.write_text(edit(kept[path] or ""))
        result = snakemake(moved, "--dry-run", repository=moved)
        return {} if "Nothing to be done" in result.stdout else planned(result)

    yield plan
    for path, text in kept.items():
        path.unlink() if text is None else path.write_text(text)


def changed(text):
    return f"{text}\nCHANGED = 1\n"


DECIDING = {
    "prepare_synthetic",
    "prepare_digits",
    "train_classifier",
    "reference_statistics",
    "tune",
    "train",
}
DECIDING |= {"evaluate", "covariance", "samples", "intrinsic_dimension"}
"""Rules whose work is not done in a minute, where data are large."""


def test_moved_checkout_has_nothing_to_do_nor_have_new_comments_docstrings_and_times(moved, replan):
    names = [path.relative_to(moved / "src/maskaae").as_posix() for path in (moved / "src").rglob("*.py")]
    assert replan({}) == {}
    assert (
        replan({name: lambda text: text.replace('"""', '"""Anew. ', 1) + "# A comment.\n" for name in names})
        == {}
    )


def test_scripts_written_anew_rerun_nothing_but_changed_ones_do(moved, replan):
    """Git writes files anew when a branch is switched; the profile `default` leaves their times out."""
    for path in (moved / "scripts").glob("*.py"):
        path.touch()
    assert replan({}) == {}
    assert replan({"../../scripts/evaluate.py": changed})["evaluate"] == 6


def test_new_model_retrains_and_measures_nothing(replan):
    line = '    "plain_ae": ModelEntry("AE", "maskaae.models.plain_ae", "PlainAutoEncoder"),\n'
    edits = {
        "models/plain_ae.py": lambda text: "class PlainAutoEncoder: pass\n",
        "models/catalogue.py": lambda text: text.replace("] = {\n", "] = {\n" + line, 1),
    }
    jobs = replan(edits)
    assert not DECIDING & set(jobs)
    assert "table1" in jobs  # it lists the models


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("models/irmae.py", {"train": 1, "evaluate": 1}),
        ("models/nested_maae.py", {"train": 2, "evaluate": 2, "covariance": 1, "samples": 1}),
        (
            "evaluation/inception.py",
            {"reference_statistics": 3, "evaluate": 6, "tune": 1, "train": 1, "samples": 1},
        ),
        ("evaluation/dimension.py", {"intrinsic_dimension": 1}),
        ("report/claims/wording.py", {}),
    ],
)
def test_changed_module_reruns_what_imports_it_and_what_comes_after(replan, module, expected):
    """Of six trainings, IRMAE is one and the nested MAAE two; RAE is trained again once it is tuned."""
    jobs = replan({module: changed})
    assert jobs
    assert {rule: count for rule, count in jobs.items() if rule in DECIDING} == expected


def test_workflow_and_run_agree_on_the_code(finished):
    """Of every run, the hash in run.json is a parameter of the job that trained it."""
    records = [json.loads(path.read_text()) for path in (finished / ".snakemake/metadata").iterdir()]
    trained = {record["log"][0]: set(record["params"]) for record in records if record["rule"] == "train"}
    runs = list(finished.glob("results/runs/*/*/*/run.json"))
    assert len(runs) == len(trained) == 6
    for path in runs:
        log = f"results/logs/train/{'/'.join(path.parent.parts[-3:])}.log"
        assert repr(json.loads(path.read_text())["code_sha256"]) in trained[log], path


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "workflow/rules").glob("*.smk")), ids=lambda path: path.stem
)
def test_every_rule_has_the_code_of_its_own_script(path):
    text = path.read_text()
    scripts = re.findall(r'script:\s+f?"../../scripts/(.+)\.py"', text)
    code = re.findall(r'code=code_(?:of|with_model)\(\s*"?([\w.]+)', text)
    assert [name.replace("record.script", "{params.script}") for name in code] == scripts


def test_fig_files_are_the_same_when_drawn_again(finished):
    path = finished / "results/figures/fig4.png"
    before = path.read_bytes()
    snakemake(finished, "results/figures/fig4.pdf", "--cores", "1", "--forcerun", "fig4")
    assert path.read_bytes() == before


def test_ctrl_c_saves_the_state_of_a_training_and_says_so_in_a_line(tmp_path):
    """As a terminal sends it: to Snakemake and to the training."""
    model, log = "results/runs/tiny/maae/m3/model.safetensors", "results/logs/train/tiny/maae/m3.log"
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(REPOSITORY / "workflow/Snakefile"),
        model,
    ]
    command += ["--cores", "1", "--configfile", str(REPOSITORY / "config/smoke.yaml"), "--config"]
    command += ["training={steps: 1000000, checkpoint_every: 1000000}"]
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        while "training maae" not in ((tmp_path / log).read_text() if (tmp_path / log).exists() else ""):
            assert run.poll() is None
            time.sleep(0.2)
        time.sleep(1)
        os.killpg(run.pid, signal.SIGINT)
        said = run.communicate(timeout=120)[1]
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    assert re.search(r"ERROR SIGINT received: state saved at step \d+", said)
    assert "Traceback" not in said
    assert len(list((tmp_path / model).parent.glob("resume/state_*.pt"))) == 1


def test_report_is_one_file_with_captions(finished):
    snakemake(finished, "--report", "report.html")
    text = (finished / "report.html").read_text()
    assert len(text) > 100_000
    finding = (finished / "results/tables/findings/fig4.rst").read_text().splitlines()[0]
    assert finding.split("** ")[1].split(" **")[0] in text  # what it says between its bold words
    for table in ("table1", "table2", "claims", "ablations", "dimensions"):  # in the page, not a download
        shown = rf'"name": "{table}.html".{{0,2000}}"mime_type": "text/html"'
        assert re.search(shown, text, re.DOTALL), table
    for script in ("train", "evaluate", "fig4", "table1", "claims"):  # the code behind a result
        says = (REPOSITORY / f"scripts/{script}.py").read_text().splitlines()[0].strip('"')
        assert html.escape(says, quote=False) in text, script
