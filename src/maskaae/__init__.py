"""MaskAAE: an adversarial auto-encoder that learns how many latent dimensions its data needs.

The package knows nothing of the workflow around it: every function takes arrays, tensors and plain
values, and can be used from a notebook.
"""
