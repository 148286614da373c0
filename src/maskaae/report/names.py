"""The field's words for models and metrics, as figures and tables print them."""

import re
from collections.abc import Iterable

from maskaae.models.catalogue import TITLES

MODEL_NAMES = TITLES

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
        As named by `maskaae.evaluation.protocol.metric_column`.

    Raises
    ------
    ValueError
        If no extractor of that name is known.
    """
    match = re.fullmatch(
        r"(?P<extractor>\w+?)_(?P<samples>\d+k?)(?P<stretched>_minmax)?(?P<soft>_soft)?", column
    )
    if match is None or match["extractor"] not in EXTRACTORS:
        known = ", ".join(f"{extractor}_10k" for extractor in EXTRACTORS)
        raise ValueError(f"metric column '{column}' has no axis label; expected one like {known}")
    stretched = ", stretched" if match["stretched"] else ""
    soft = ", soft mask" if match["soft"] else ""
    return EXTRACTORS[match["extractor"]] + stretched + soft


def models_in_order(names: Iterable[str]) -> list[str]:
    """Each model once, in the order of `MODEL_NAMES`."""
    present = set(names)
    return [model for model in MODEL_NAMES if model in present]
