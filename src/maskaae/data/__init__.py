"""Data sets: where they come from (`registry`) and how they are stored and loaded (`dataset`)."""
