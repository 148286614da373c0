"""A job's log holds everything; the terminal shows warnings only."""

import subprocess
import sys

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
