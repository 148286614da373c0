"""Tests that need a GPU are skipped where there is none."""

import pytest


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu"):
        import torch  # here: it takes seconds, and most tests of the workflow do without it

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
