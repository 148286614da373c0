"""A logger plugin of Snakemake: writes what happens, a JSON object a line, to the file of EVENTS_FILE.

`workflow/quiet/run.py` reads it. Snakemake's own output stays as it is.
"""

import json
import os
from logging import LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase

FIELDS = {
    "run_info": ["stats"],
    "job_info": ["jobid", "rule_name", "wildcards", "log"],
    "job_finished": ["job_id"],
    "job_error": ["jobid"],
    "error": [],
}
"""Events that are written, and what of them."""


class LogHandler(LogHandlerBase):
    """Writes events."""

    writes_to_stream = False
    writes_to_file = False  # none that Snakemake should name in its own output
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Open the file."""
        self._file = Path(os.environ["EVENTS_FILE"]).open("a", encoding="utf-8")  # noqa: SIM115 (kept open)

    def emit(self, record: LogRecord) -> None:
        """Write one event, if it is one of those that are wanted."""
        event = str(getattr(record, "event", ""))
        if event not in FIELDS:
            return
        values = {name: getattr(record, name) for name in FIELDS[event]}
        if "log" in values:
            values["log"] = [os.path.abspath(path) for path in values["log"]]  # noqa: PTH100 (no link is resolved)
        if "wildcards" in values:
            values["wildcards"] = dict(values["wildcards"] or {})
        content = {"event": event, "time": record.created, "message": record.getMessage(), **values}
        self._file.write(json.dumps(content, default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
