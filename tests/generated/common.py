"""What generated unit tests compare by, in place of the `common.py` that Snakemake writes beside them.

Bytes, except in files that say how long something took or on which machine: of those, everything else.
"""

from maskaae.verify import compare_folders


class OutputChecker:
    """What each generated test calls, with the folders of inputs, of expected files, and of the job."""

    def __init__(self, data_path, expected_path, workdir):
        self.expected, self.made = expected_path, workdir

    def check(self):
        compared = [one for one in compare_folders(self.expected, self.made) if one.verdict != "only in B"]
        same = ("", "but for times and machine")
        assert [one for one in compared if one.verdict != "equal" or one.note not in same] == []
