"""Figures, drawn from the csv that lies beside the picture; figures alike share a module.

For each there is a function ``<name>_data(...) -> DataFrame``, which selects and aggregates, and a function
``draw_<name>(frame) -> Figure``, which sees nothing but that frame. `drawing.write_figure` joins the two, and
`maskaae.report.records` says what they are drawn from.
"""
