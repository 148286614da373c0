"""Encoders, decoders and critics, for as many models as there are seeds side by side."""
