"""The paper's figures: one module each, drawn from the csv that lies beside the picture.

Every module offers ``data(...) -> DataFrame``, which selects and aggregates, and ``draw(frame) -> Figure``,
which sees nothing but that frame. `maskaae.report.figures.drawing.write_figure` joins the two.
"""
