"""Sources of data whose true dimension n is known: the synthetic generators, and drawn shapes.

The Snakefile imports this module while it is parsed, so it needs only the standard library at import.
"""

from __future__ import annotations

from maskaae.data.source import Source, Spec, described


def _check_synthetic(spec: Spec) -> None:
    from maskaae.data.synthetic import check_family

    check_family(spec)


SYNTHETIC = Source(
    name="synthetic",
    description="the paper's random generator, z ~ N(0, I_n) through a fixed net, or another (n known)",
    module="maskaae.data.synthetic",
    keys={
        "n": described("true latent dimension, 1 <= n <= dimension", "integer", minimum=1),
        "family": described(
            "map from latents to data: the `paper`'s net, or one of ours (docs/data.md has their formulas)",
            "string",
            enum=["paper", "tanh", "sinusoids", "deep_relu", "polynomial", "linear"],
            default="paper",
        ),
        "dimension": described("data dimension D (paper: 128)", "integer", minimum=1, default=128),
        "hidden": described(
            "hidden width; null: max(64, 2n), of `deep_relu` max(128, 4n) (our choice)",
            ["integer", "null"],
            minimum=1,
            default=None,
        ),
        "slope": described(
            "slope of the leaky ReLU of `paper` below 0 (our choice)",
            "number",
            exclusiveMinimum=0,
            default=0.2,
        ),
        "latent": described(
            "law of the latents: the paper's `gaussian`, `uniform`, or angles of a `torus` (our choice)",
            "string",
            enum=["gaussian", "uniform", "torus"],
            default="gaussian",
        ),
        "noise": described(
            "standard deviation of Gaussian noise added to the data", "number", minimum=0, default=0.0
        ),
        "n_train": described("training examples (our choice)", "integer", minimum=1, default=50_000),
        "n_test": described(
            "test examples (our choice: as many as FID asks for)", "integer", minimum=1, default=10_000
        ),
        "seed": described(
            "seed of the generator's weights and of both splits", "integer", minimum=0, default=0
        ),
    },
    describe=lambda spec: ("vectors", spec["dimension"]),
    check=_check_synthetic,
)

SHAPES = Source(
    name="shapes",
    description="drawn shapes, grey images of which n factors vary: position, size, brightness ... (n known)",
    module="maskaae.data.shapes",
    keys={
        "n": described("factors that vary", "integer", minimum=1, maximum=6),
        "size": described("pixels of a side (our choice)", "integer", minimum=16, default=32),
        "noise": described(
            "standard deviation of Gaussian noise, in grey levels",
            "number",
            minimum=0,
            maximum=8,
            default=0.0,
        ),
        "n_train": described("training examples (our choice)", "integer", minimum=1, default=20_000),
        "n_test": described("test examples (our choice)", "integer", minimum=1, default=10_000),
        "seed": described(
            "seed of the shape, of which factors vary, and of both splits", "integer", minimum=0, default=0
        ),
    },
    describe=lambda spec: ("images", spec["size"] ** 2),
)
