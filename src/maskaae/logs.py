"""Where a job's messages go: everything into its log, warnings onto the terminal too."""

from __future__ import annotations

import logging
from pathlib import Path


def log_to(path: str | Path) -> None:
    """Send messages from INFO on to a file, and warnings to standard error as well."""
    to_file = logging.FileHandler(path)
    to_terminal = logging.StreamHandler()
    to_terminal.setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[to_file, to_terminal]
    )
