"""Pictures of the user's own data: real, reconstructed and generated."""

import numpy as np

from maskaae.report.figures import samples

VALUES = np.random.default_rng(0).normal(size=(100, 6))


def test_marginals_show_the_first_columns_that_vary():
    real = np.column_stack([VALUES[:, 0], np.ones(100), VALUES[:, 1]])
    examples = {"real": real, "reconstructed": real, "generated": real + 1}
    frame = samples.marginals_data(examples, ["a", "constant", "b"])
    assert list(frame.columns) == ["kind", "a", "b"]
    assert len(samples.draw_marginals(frame).axes) == 4


def test_reconstructions_stand_beside_their_images():
    images = np.random.default_rng(0).integers(0, 256, (10, 4, 5, 3)).astype(np.uint8)
    frame = samples.reconstructions_data({"real": images, "reconstructed": images[:9], "generated": images})
    assert frame.groupby("kind").size().tolist() == [9, 9, 9]
    assert (
        frame.loc[frame["kind"] == "real", "pixels"].tolist()
        == frame.loc[frame["kind"] == "reconstructed", "pixels"].tolist()
    )
    assert [ax.get_title() for ax in samples.draw_reconstructions(frame).axes] == [
        "real",
        "reconstructed",
        "generated",
    ]


def test_images_sorted_by_class_are_shown_from_every_class():
    """Image i is of brightness i: 640 of them stand for a split sorted by class."""
    images = np.repeat(np.arange(640) * 255 // 639, 4).reshape(640, 2, 2, 1).astype(np.uint8)
    frame = samples.reconstructions_data({"real": images, "reconstructed": images, "generated": images})
    shown = frame.loc[frame["kind"] == "real", "index"].tolist()
    assert shown == list(range(0, 640, 10))
