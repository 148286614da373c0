"""Where a job's messages go: everything into its log, warnings onto the terminal too."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import TracebackType

MENDABLE = (ValueError, OSError, ImportError, MemoryError)
"""Errors that say what a user can do: wrong input, a full disk, a package that is not installed."""


def log_to(path: str | Path) -> None:
    """Send messages from INFO on to a file, and warnings to standard error as well.

    What ends the job is logged as an error, with the traceback in the file. Standard error has the traceback
    only where it may be a mistake of the code: not of what the user can mend, nor of an interruption.
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
        return
    mendable = issubclass(kind, MENDABLE) or kind.__module__.startswith("maskaae.")
    logging.error("%s", error if mendable and str(error) else f"{kind.__name__}: {error}")
    logging.info("where it was raised:", exc_info=(kind, error, traceback))
    if not mendable:
        sys.__excepthook__(kind, error, traceback)
