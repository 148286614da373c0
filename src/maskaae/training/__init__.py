"""Training: the loop over a seed axis, its optimisers, its checkpoints and the device it runs on."""
