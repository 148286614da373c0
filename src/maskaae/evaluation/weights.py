"""Where the Inception weights come from: a file put there by hand, or torch-fidelity's own address."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from urllib.error import URLError

import torch

from maskaae.evaluation.inception import WEIGHTS_SHA256, check_weights

logger = logging.getLogger(__name__)

WEIGHTS_NAME = "weights-inception-2015-12-05-6726825d.pth"
"""torch-fidelity's name of the file, in which it stands among hand-placed ones."""


def fetch_inception_weights(
    raw: Path, target: Path, *, address: str | None = None, sha256: str = WEIGHTS_SHA256
) -> None:
    """Put the checked weights at ``target``, fetching them only if ``raw`` does not hold them yet.

    Parameters
    ----------
    raw : Path
        Folder of downloaded or hand-placed files.
    target : Path
        Where the weights are wanted; a copy, so that a file put there by hand is never deleted.
    address : str, optional
        Where to fetch them; torch-fidelity's by default.
    sha256 : str
        Checksum that the file must have.

    Raises
    ------
    ConnectionError
        If they cannot be fetched; says which file to put where.
    ValueError
        If the file has another checksum.
    """
    place = raw / WEIGHTS_NAME
    if not place.exists():
        raw.mkdir(parents=True, exist_ok=True)
        _download(address or _published_address(), place, sha256)
    check_weights(place, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place, target)


def _published_address() -> str:
    # Imported here: torchvision comes with it and takes many seconds.
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    return str(URL_INCEPTION_V3)


def _download(address: str, place: Path, sha256: str) -> None:
    """Fetch to a file beside ``place``, check it and move it there: all or nothing."""
    logger.info("fetching %s", address)
    try:
        torch.hub.download_url_to_file(address, str(place), hash_prefix=sha256, progress=False)
    except (URLError, OSError, RuntimeError) as error:  # torch raises RuntimeError for a wrong hash
        raise ConnectionError(
            f"the Inception weights could not be fetched from {address} ({error}); "
            f"fetch {WEIGHTS_NAME} elsewhere and put it at {place}"
        ) from error
