"""Images of known factors: what each does to the picture, that n of them show, and bounds of the values."""

import numpy as np
import pytest

from maskaae.data.dataset import load_dataset
from maskaae.data.registry import SOURCES, describe, resolve
from maskaae.data.shapes import FACTORS, Shape, check_rank, draw_shape

ALL = Shape(tuple(FACTORS), power=2.0, side=32)
PLACE = {name: place for place, name in enumerate(FACTORS)}


def image(**latents):
    """The picture with some latents set, the others 0, in the middle."""
    z = np.zeros((1, len(FACTORS)))
    for name, value in latents.items():
        z[0, PLACE[name]] = value
    return ALL(z)[0]


def middle_of_mass(picture):
    mass = picture - picture.min()
    rows, columns = np.mgrid[: len(picture), : len(picture)]
    return (mass * columns).sum() / mass.sum(), (mass * rows).sum() / mass.sum()


def prepare(folder, **keys):
    spec = resolve({"name": "toy", "source": "shapes", "n": 4, "n_train": 300, "n_test": 20, **keys})
    SOURCES["shapes"].prepare(spec, raw=folder / "raw", folder=folder)
    return load_dataset(folder)


def test_position_moves_the_shape_by_its_share_of_the_side():
    """Latents of +-9 reach the ends of the range, 0.38 of half of 32 pixels on either side."""
    right, low = middle_of_mass(image(x=9)), middle_of_mass(image(y=9))
    assert right == pytest.approx((15.5 + 0.38 * 16, 15.5), abs=0.05)
    assert low == pytest.approx((15.5, 15.5 + 0.38 * 16), abs=0.05)


def test_brightness_and_background_are_grey_levels():
    picture = image(brightness=9, background=-9)
    assert picture[16, 16] == pytest.approx(215, abs=0.5)
    assert picture[0, 0] == pytest.approx(40, abs=0.5)
    assert image(brightness=-9, background=9)[16, 16] == pytest.approx(130, abs=0.5)


def test_size_and_elongation_are_those_of_an_ellipse():
    """Its area is pi a b, which elongation does not change; width over height is exp(elongation)."""
    area = {}
    for size in (-9, 9):
        mass = image(size=size) - 65.0
        area[size] = mass.sum() / (172.5 - 65)
    assert area[9] == pytest.approx(np.pi * (0.48 * 16) ** 2, rel=0.02)
    assert area[-9] == pytest.approx(np.pi * (0.22 * 16) ** 2, rel=0.08)  # its soft edge counts
    bright = image(size=9, elongation=9) > 119
    assert bright.any(axis=0).sum() / bright.any(axis=1).sum() == pytest.approx(np.exp(0.4), rel=0.08)


def test_nothing_reaches_the_border():
    for x in (-9, 9):
        picture = image(x=x, y=x, size=9, elongation=9, background=-9, brightness=9)
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert border.max() < 40 + 0.5 * (215 - 40)
        assert np.median(border) < 41


@pytest.mark.parametrize("n", range(1, 7))
def test_n_factors_show_in_the_pixels_of_every_image(n):
    for seed in range(5):
        shape = draw_shape(n, 32, np.random.default_rng(seed))
        assert len(set(shape.varying)) == n
        assert check_rank(shape, n, np.random.default_rng(seed)).shape == (32, n)


def test_factors_that_do_not_show_are_refused():
    one_factor_twice = Shape(("x", "x"), power=2.0, side=32)
    with pytest.raises(ValueError, match="factors x, x do not show in images of 32 pixels a side"):
        check_rank(one_factor_twice, 2, np.random.default_rng(0))


def test_the_seed_decides_factors_outline_and_images(tmp_path):
    first, again = (prepare(tmp_path / name).train for name in ("a", "b"))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, prepare(tmp_path / "c", seed=1).train)
    assert first.shape == (300, 32, 32, 1)
    assert first.dtype == np.uint8


def test_images_are_of_known_n_and_say_their_factors(tmp_path):
    info = prepare(tmp_path, n=3, size=24).info
    assert (info.n, info.kind, info.shape, info.details["family"]) == (3, "images", (24, 24, 1), "shapes")
    assert set(info.details["factors"]) < set(FACTORS)
    assert describe(resolve({"name": "s", "source": "shapes", "n": 3})) == ("images", 1024)


def test_noise_has_its_variance_in_grey_levels(tmp_path):
    clean, noisy = (prepare(tmp_path / str(noise), noise=noise).train.astype(float) for noise in (0, 8))
    assert (noisy - clean).std() == pytest.approx(np.sqrt(64 + 2 / 12), rel=0.02)  # both are rounded
    assert (noisy.min(), noisy.max()) > (0, 0)
    assert noisy.max() < 255
