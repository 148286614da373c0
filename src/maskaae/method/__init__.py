"""The paper's method: mask, losses and presets, and our nested search. Nothing here knows models or data."""
