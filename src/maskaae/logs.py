"""Where a job's messages go: everything into its log, warnings onto the terminal too."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import TracebackType


def log_to(path: str | Path) -> None:
    """Send messages from INFO on to a file, and warnings to standard error as well.

    A job that is interrupted says so in one line, without a traceback.
    """
    to_file = logging.FileHandler(path)
    to_terminal = logging.StreamHandler()
    to_terminal.setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[to_file, to_terminal]
    )
    sys.excepthook = _say_what_ended_the_job


def _say_what_ended_the_job(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        logging.error("%s", error if error.args else "interrupted")
    else:
        sys.__excepthook__(kind, error, traceback)
