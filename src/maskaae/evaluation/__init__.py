"""Evaluation of trained runs: features, Fréchet distance, NAC, reconstruction and Wasserstein estimate."""
