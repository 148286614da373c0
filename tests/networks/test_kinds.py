"""Which networks suit which data, where the configuration leaves it open."""

import pytest

from maskaae.method.spec import suited, suited_channels
from maskaae.networks.kinds import check_shape

OPEN = {"kind": "auto", "hidden": [128, 128], "channels": [64, 128], "normalisation": "batch"}


@pytest.mark.parametrize(
    ("shape", "channels"),
    [
        ((28, 28, 1), (8, 16)),
        ((32, 32, 3), (8, 16, 32)),
        ((64, 64, 3), (8, 16, 32, 64)),
        ((256, 256, 3), (8, 16, 32, 64)),
        ((32, 48, 3), (8, 16, 32)),
        ((36, 16, 1), (8, 16)),
        ((8, 8, 1), ()),  # too small
        ((12, 64, 1), ()),
        ((31, 31, 3), ()),  # cannot be halved
        ((30, 30, 3), ()),  # only once
    ],
)
def test_images_are_halved_down_to_a_few_pixels(shape, channels):
    assert suited_channels(shape, on_gpu=False) == channels
    assert suited_channels(shape, on_gpu=True) == tuple(8 * width for width in channels)
    if channels:
        check_shape(shape, channels)
        smallest = min(shape[:2]) >> len(channels)
        assert 4 <= smallest < 8 or len(channels) == 4


def test_only_what_is_left_open_is_chosen():
    chosen = suited(OPEN, "images", (32, 32, 3), on_gpu=False)
    assert chosen == {**OPEN, "kind": "convolutional", "channels": (8, 16, 32)}
    assert suited(OPEN, "images", (8, 8, 1), on_gpu=False) == {**OPEN, "kind": "mlp"}
    assert suited(OPEN, "vectors", (3072,), on_gpu=True) == {**OPEN, "kind": "mlp"}
    for kind in ("mlp", "convolutional"):
        given = {**OPEN, "kind": kind}
        assert suited(given, "images", (32, 32, 3), on_gpu=True) == given
