"""A run tells where it stands at an interval, and warns when a CPU will need long."""

import logging

import pytest

from maskaae.training import loop
from maskaae.training.loop import Progress


@pytest.fixture
def clock(monkeypatch):
    now = {"seconds": 0.0}
    monkeypatch.setattr(loop.time, "monotonic", lambda: now["seconds"])
    return now


def test_line_an_interval_with_losses_counts_speed_and_time_left(clock, caplog):
    caplog.set_level(logging.INFO)
    report = Progress(steps=1000, first_step=0, device="cpu", seconds=10)
    clock["seconds"] = 5
    report.report(100, {"critic": 0.5}, [8, 7])
    assert caplog.messages == []
    clock["seconds"] = 10
    report.report(200, {"critic": 0.25}, [8, 7])
    assert caplog.messages == ["step 200 of 1000  critic 0.25  active 8, 7  20.0 steps/s  0:00:40 left"]


def test_resumed_run_measures_its_speed_from_where_it_started(clock, caplog):
    caplog.set_level(logging.INFO)
    report = Progress(steps=1000, first_step=800, device="cpu", seconds=10)
    clock["seconds"] = 10
    report.report(900, {}, [8])
    assert "10.0 steps/s  0:00:10 left" in caplog.text


@pytest.mark.parametrize(("device", "warnings"), [("cpu", 1), ("cuda:0", 0)])
def test_paper_length_on_a_cpu_is_warned_of_once_with_an_estimate(clock, caplog, device, warnings):
    report = Progress(steps=500_000, first_step=0, device=device, seconds=10)
    for seconds, step in ((10, 50), (20, 100)):
        clock["seconds"] = seconds
        report.report(step, {}, [8])
    found = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(found) == warnings
    assert all("trains on a CPU and needs about 1 day, 3:46:" in message for message in found)
