"""Settings of all evaluation tests."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Nets this small only lose time by sharing their work between threads."""
    torch.set_num_threads(1)
