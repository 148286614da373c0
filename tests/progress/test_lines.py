"""What is said of a run while it goes on, and when it failed."""

from pathlib import Path

import pytest

from maskaae.progress.job_log import Steps, error_of, records, steps_of
from maskaae.progress.jobs import Run
from maskaae.progress.lines import duration, failure, seconds_left, status
from maskaae.training.loop import Progress

START = 1_000.0
WILDCARDS = {"m": 16, "model": "maae", "dataset": "own"}


def event(kind, time=START, **values):
    return {"event": kind, "time": time, "message": "", **values}


def started(number, rule="train", time=START, log=(), **wildcards):
    return event("job_info", time, jobid=number, rule_name=rule, wildcards=wildcards, log=list(log))


def run_of(*events):
    run = Run()
    for each in events:
        run.take(each)
    return run


def test_a_training_tells_its_steps_through_its_log(tmp_path):
    """The line that training writes is the line that is read."""
    import logging

    log = tmp_path / "job.log"
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("maskaae.training.loop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        Progress(100, 0, "cpu", seconds=0).report(40, {"autoencoder": 0.5}, [3, 4])
    finally:
        logger.removeHandler(handler)
        handler.close()
    steps = steps_of(log, since=0)
    assert (steps.done, steps.wanted) == (40, 100)
    assert steps.per_second > 0
    assert steps_of(log, since=2e9) is None, "what an earlier run wrote says nothing"
    assert steps_of(tmp_path / "none.log", since=0) is None


def test_the_status_names_what_runs_how_far_it_is_and_what_is_left():
    run = run_of(
        event("run_info", stats={"train": 4, "fig4": 1, "total": 5}),
        started(1, **WILDCARDS),
        started(2, **WILDCARDS | {"model": "wae"}),
        started(3, rule="prepare_table", dataset="own"),
        event("job_finished", START + 3, job_id=3),
    )
    steps = {1: Steps(50, 100, 5.0), 2: Steps(25, 100, 2.5)}  # 10 and 30 seconds left
    line = status(run, steps, START + 10)
    assert line.startswith("1 of 5 jobs done, about 35 s left: ")
    # Trainings of (10 + 10) and (10 + 30) seconds are under way, two wait, and a figure of 5: on 3 places.
    assert seconds_left(run, steps, START + 10) == pytest.approx((40 + 2 * 30 + 5) / 3)
    assert line.endswith(": training own maae m = 16 50%, training own wae m = 16 25%")


def test_the_time_left_is_not_guessed_before_a_training_has_told_its_speed():
    run = run_of(event("run_info", stats={"train": 1}), started(1, **WILDCARDS))
    assert seconds_left(run, {}, START) is None
    assert status(run, {}, START) == "0 of 1 jobs done: training own maae m = 16"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3599, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (190_000, "2 days 4 h"),
    ],
)
def test_a_time_is_said_in_words(seconds, words):
    assert duration(seconds) == words


LOG = """2001-09-09 01:46:40,000 INFO reading
2001-09-09 01:46:41,000 ERROR own.csv, line 3: 'x' is no number
write a number, or leave the row out
2001-09-09 01:46:41,000 INFO where it was raised:
Traceback (most recent call last):
"""


def test_messages_of_several_lines_are_kept_whole():
    assert [record.message.count("\n") for record in records(LOG)] == [0, 1, 1]


def test_a_failure_is_told_by_the_message_of_the_job_without_traceback(tmp_path):
    log = tmp_path / "prepare.log"
    log.write_text(LOG)
    run = run_of(started(1, "prepare_table", log=[str(log)], dataset="own"), event("job_error", jobid=1))
    assert failure(run, Path("all.log"), "unlock it").splitlines() == [
        "Failed: prepare table own",
        "own.csv, line 3: 'x' is no number",
        "write a number, or leave the row out",
        f"Its log: {log}",
        "All that was said: all.log",
    ]
    assert error_of(log, since=3e9) is None, "the error of an earlier run"


def test_a_failure_takes_at_most_ten_lines(tmp_path):
    log = tmp_path / "prepare.log"
    log.write_text("2001-09-09 01:46:41,000 ERROR " + "line\n" * 50)
    run = run_of(started(1, log=[str(log)], **WILDCARDS), event("job_error", jobid=1))
    assert len(failure(run, Path("all.log"), "unlock it").splitlines()) == 10


def test_a_complaint_of_the_configuration_is_told_without_where_snakemake_stood():
    message = 'WorkflowError in file "/x.smk", line 3:\nown.yaml: steps: 0 is too small\n  File "/x", line 3'
    run = run_of(event("error") | {"message": message})
    assert (
        failure(run, Path("all.log"), "unlock it")
        == "own.yaml: steps: 0 is too small\nAll that was said: all.log"
    )


def test_a_folder_that_is_locked_comes_with_the_command_that_gives_it_free():
    run = run_of(event("error") | {"message": "LockException:\nError: Directory cannot be locked. Please"})
    assert failure(run, Path("all.log"), "unlock it").splitlines()[-1] == "unlock it"
