"""Where each claim is shown. Only the standard library is imported: the Snakefile reads it."""

from collections.abc import Mapping

SHOWN_IN: Mapping[str, tuple[str, ...]] = {
    "a": ("fig1", "fig4"),
    "b": ("fig4",),
    "c": ("fig4",),
    "d": ("fig1", "fig4", "fig5"),
    "e": ("table1",),
    "f": ("table2", "fig10", "fig11", "fig12", "fig13"),
    "g": ("fig5", "fig8"),
    "h": ("fig1",),
}
"""Figures and tables that show a claim, by its letter."""
FIGURES = tuple(sorted({figure for figures in SHOWN_IN.values() for figure in figures}))
