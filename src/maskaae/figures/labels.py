"""The field's words for the columns that the figures draw."""

import re

EXTRACTORS = {
    "fd_raw": "Fréchet distance",
    "fid_classifier": "FID (classifier features)",
    "fid_inception": "FID (Inception features)",
}


def metric_label(column: str) -> str:
    """Axis label of a metric column, for example ``fid_classifier_10k`` -> ``FID (classifier features)``.

    Parameters
    ----------
    column : str
        ``{extractor}_{samples}``, with ``_soft`` behind it for samples decoded through the soft mask.

    Raises
    ------
    ValueError
        If no extractor of that name is known.
    """
    match = re.fullmatch(r"(?P<extractor>\w+?)_(?P<samples>\d+k?)(?P<soft>_soft)?", column)
    if match is None or match["extractor"] not in EXTRACTORS:
        known = ", ".join(f"{extractor}_10k" for extractor in EXTRACTORS)
        raise ValueError(
            f"metric column '{column}' has no axis label; expected one like {known}, or with _soft behind"
        )
    label = EXTRACTORS[match["extractor"]]
    return f"{label}, soft mask" if match["soft"] else label
