"""Two at a time, odd paths and the same run twice: right files, or a clear refusal."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from maskaae.data.published.download import Archive, download
from maskaae.data.published.forms import Form
from maskaae.verify import Tolerance, compare_folders, report

REPOSITORY = Path(__file__).parent.parent
CALL = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "workflow/Snakefile")]
EXPERIMENT = {
    "seeds": [0],
    "preset": "robust",
    "training": {"steps": 20, "batch_size": 16, "log_every": 10, "checkpoint_every": 10},
    "evaluation": {"samples": 50},
    "datasets": [{"name": "own", "source": "table", "path": "", "capacities": {"maae": [2]}}],
    "figures": {"fig7": False},
}
RUN = "results/runs/own/maae/m2"


def write_experiment(folder, data):
    """Write data and an experiment on them, and return the experiment's path."""
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text("a,b,c\n" + "".join(f"{i % 7},{i % 5},{i % 3}\n" for i in range(100)))
    EXPERIMENT["datasets"][0]["path"] = str(data)
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(EXPERIMENT, allow_unicode=True), encoding="utf-8")
    return path


def snakemake(folder, *arguments):
    return subprocess.run(
        [*CALL, *arguments, "--directory", str(folder)], capture_output=True, text=True, check=False
    )


@pytest.mark.long
def test_a_second_snakemake_in_one_folder_is_refused_and_changes_nothing(tmp_path):
    """The first is stopped in the middle, and holds Snakemake's lock meanwhile."""
    experiment = write_experiment(tmp_path, tmp_path / "t.csv")
    target = ["results/data/own/dataset.json", "--cores", "1"]
    first = subprocess.Popen(
        [*CALL, *target, "--directory", str(tmp_path), "--configfile", str(experiment)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        locks = tmp_path / ".snakemake/locks"
        end = time.monotonic() + 120
        while not (locks.is_dir() and any(locks.iterdir())):
            assert first.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGSTOP)
        second = snakemake(tmp_path, *target, "--configfile", str(experiment))
        assert second.returncode != 0
        assert "Directory cannot be locked" in second.stdout + second.stderr
        os.killpg(first.pid, signal.SIGCONT)
        assert first.wait(timeout=300) == 0
    finally:
        if first.poll() is None:
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
    assert (tmp_path / "results/data/own/dataset.json").exists()


class Slow(SimpleHTTPRequestHandler):
    """Serves a file in two halves with a pause between them, so that two downloads overlap."""

    content = bytes(range(256)) * 64

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[:100])
        time.sleep(0.3)
        self.wfile.write(self.content[100:])

    def log_message(self, *arguments):
        pass


class AnyFile:
    """Knows a data set of one file, whatever is in it."""

    @staticmethod
    def find(source, raw):
        path = raw / "set/file.bin"
        return Form("file", {"all": (path,)}) if path.is_file() else None

    find_file = staticmethod(lambda source, raw, place: None)
    check = staticmethod(lambda source, form: None)


@pytest.mark.long
def test_two_users_who_share_a_folder_of_downloads_both_end_with_the_right_file(tmp_path, monkeypatch):
    import hashlib

    from maskaae.data.published import download as module

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    digest = hashlib.md5(Slow.content, usedforsecurity=False).hexdigest()
    address = f"http://127.0.0.1:{server.server_address[1]}/file.bin"
    archive = Archive("set/file.bin", digest, (address,))
    monkeypatch.setitem(module._ARCHIVES, "mnist", lambda: (archive,))
    monkeypatch.setitem(module._PUBLISHED, "mnist", AnyFile)
    shared = tmp_path / "shared"
    shared.mkdir()
    users = [tmp_path / name for name in ("one", "two")]
    for user in users:
        user.mkdir()
        (user / "raw").symlink_to(shared)
    answers, failures = [], []

    def fetch(user):
        try:
            answers.append(download("mnist", user / "raw", pause=0.1))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=fetch, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.shutdown()
    assert not failures
    assert answers[0] == answers[1]
    assert (shared / "set/file.bin").read_bytes() == Slow.content
    assert [path.name for path in (shared / "set").iterdir()] == ["file.bin"]


@pytest.mark.parametrize("name", ["with spaces", "quo'te\"s", "données-数据"])
def test_paths_of_all_kinds_are_taken(tmp_path, name):
    """Folder of the run, folder and name of the data: blanks, quotes, other alphabets."""
    folder = tmp_path / name
    folder.mkdir()
    experiment = write_experiment(folder, folder / f"my {name}.csv")
    answer = snakemake(
        folder, "results/data/own/dataset.json", "--cores", "1", "--configfile", str(experiment)
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    info = json.loads((folder / "results/data/own/dataset.json").read_text(encoding="utf-8"))
    assert info["details"]["path"].endswith(f"my {name}.csv")


@pytest.mark.long
def test_data_and_results_may_be_links(tmp_path):
    real = tmp_path / "elsewhere"
    (real / "results").mkdir(parents=True)
    work = tmp_path / "work"
    work.mkdir()
    (work / "results").symlink_to(real / "results")
    experiment = write_experiment(work, real / "t.csv")
    (work / "link.csv").symlink_to(real / "t.csv")
    text = experiment.read_text().replace(str(real / "t.csv"), "link.csv")
    experiment.write_text(text)
    answer = snakemake(work, "results/data/own/dataset.json", "--cores", "1", "--configfile", str(experiment))
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert (real / "results/data/own/train.npy").exists()


def smoke(folder, *arguments):
    call = [*CALL, "--configfile", str(REPOSITORY / "config/smoke.yaml"), "--directory", str(folder)]
    answer = subprocess.run([*call, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]
    return folder / "results"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_smoke_pipeline_twice_gives_equal_files_and_with_two_threads_the_same_numbers(tmp_path):
    once = smoke(tmp_path / "once", "--cores", "1")
    twice = smoke(tmp_path / "twice", "--cores", "1")
    found = compare_folders(once, twice)
    assert {c.verdict for c in found} == {"equal"}, report(found)
    assert not any(c.note == "same numbers" for c in found), report(found)  # to the byte
    shutil.rmtree(tmp_path / "twice")
    threads = smoke(tmp_path / "threads", "--cores", "2", "--set-threads", "train=2", "evaluate=2")
    found = compare_folders(once, threads, Tolerance())
    assert {c.verdict for c in found} <= {"equal", "within tolerance"}, report(found)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_finished_run_says_what_made_it(tmp_path):
    experiment = write_experiment(tmp_path, tmp_path / "t.csv")
    answer = snakemake(tmp_path, f"{RUN}/run.json", "--cores", "1", "--configfile", str(experiment))
    assert answer.returncode == 0, answer.stderr[-2000:]
    record = json.loads((tmp_path / RUN / "run.json").read_text())
    assert record["spec"]["seeds"] == [0]
    assert record["plan"]["steps"] == 20
    assert set(record["versions"]) >= {"python", "numpy", "torch", "maskaae"}
    assert {"commit", "code_sha256", "data_sha256", "device", "threads", "seconds", "lost"} <= set(record)
