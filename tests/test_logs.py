"""A job's log holds everything; the terminal shows warnings only."""

import subprocess
import sys

import pytest

CODE = """
import logging
from maskaae.logs import log_to
log_to({path!r})
logging.getLogger("maskaae.x").info("step 5 of 10")
logging.getLogger("maskaae.x").warning("this run needs 3 days")
"""


def test_log_holds_everything_and_the_terminal_warnings(tmp_path):
    path = str(tmp_path / "job.log")
    result = subprocess.run(
        [sys.executable, "-c", CODE.format(path=path)], capture_output=True, text=True, check=True
    )
    log = (tmp_path / "job.log").read_text()
    assert "INFO step 5 of 10" in log
    assert "WARNING this run needs 3 days" in log
    assert "3 days" in result.stderr
    assert "step 5" not in result.stderr


@pytest.mark.parametrize(
    ("error", "shown"), [("ValueError('row 3: no number')", False), ("IndexError('5')", True)]
)
def test_what_a_user_can_mend_is_said_without_a_traceback(tmp_path, error, shown):
    path = tmp_path / "job.log"
    code = CODE.format(path=str(path)) + f"raise {error}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    message = "IndexError: 5" if shown else "row 3: no number"
    assert result.returncode == 1
    assert f"ERROR {message}\n" in result.stderr
    assert ("Traceback" in result.stderr) == shown
    assert f"ERROR {message}\n" in path.read_text() and "Traceback" in path.read_text()


def test_interrupted_job_says_so_in_one_line(tmp_path):
    code = CODE + "raise KeyboardInterrupt({words})"
    for words, line in (("", "interrupted"), ("'state saved at step 7'", "state saved at step 7")):
        path = str(tmp_path / f"{len(words)}.log")
        command = [sys.executable, "-c", code.format(path=path, words=words)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode != 0
        assert result.stderr.splitlines()[-1].endswith(f"ERROR {line}")
        assert "Traceback" not in result.stderr
        assert f"ERROR {line}" in (tmp_path / f"{len(words)}.log").read_text()
