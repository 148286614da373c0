"""Latent-variable models: one file each, listed in `catalogue`, built and loaded by `build`."""
