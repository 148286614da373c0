"""Inception features, as the field measures FID: the 2015 TensorFlow net, through torch-fidelity.

Its weights come from a file put there by hand, or from torch-fidelity's own address.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

WEIGHTS_NAME = "weights-inception-2015-12-05-6726825d.pth"
"""torch-fidelity's name of its file of weights, by which it is looked for among hand-placed ones."""

WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""Checksum of that file."""

CHUNK = 128
"""Images per forward pass: at 299 x 299 pixels a whole evaluation batch would need tens of gigabytes."""


class InceptionFeatures:
    """Pooled Inception features (2,048 values, `pool3` of the 2015 net) of uint8 images of any size.

    Grey images are repeated into three channels. Resizing to 299 x 299 is TensorFlow 1's bilinear one, and
    convolutions run in full float32 (no TF32), so that the numbers do not depend on the kind of GPU.

    Parameters
    ----------
    weights : Path
        torch-fidelity's file of weights.
    device : torch.device or str
        Where to run.
    sha256 : str
        Checksum that the file must have. The format can carry code, so no other file is opened.
    layer : str
        Layer of torch-fidelity's extractor: `2048`, or `64`, `192`, `768` further in front.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If the file is another one.
    """

    name = "inception"
    stretches = (False, True)

    def __init__(
        self,
        weights: Path,
        device: torch.device | str = "cpu",
        *,
        sha256: str = WEIGHTS_SHA256,
        layer: str = "2048",
    ) -> None:
        # Imported here: it takes many seconds, since torchvision comes with it.
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        check_weights(weights, sha256)
        net = FeatureExtractorInceptionV3(self.name, [layer], feature_extractor_weights_path=str(weights))
        self._net = net.to(device)
        self._device = device

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the features (N, F) of images uint8 (N, H, W, C), C 1 or 3.

        Raises
        ------
        ValueError
            If the examples are no images.
        """
        if examples.dtype != torch.uint8:
            raise ValueError(f"examples of {examples.dtype}: Inception needs uint8 images; use raw features")
        images = examples.to(self._device).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)  # (N, 3, H, W)
        with torch.backends.cudnn.flags(allow_tf32=False):
            return torch.cat([self._net(chunk)[0] for chunk in torch.split(images, CHUNK)])


def check_weights(path: Path, sha256: str) -> None:
    """Refuse a file of weights that is missing (FileNotFoundError) or of another checksum (ValueError)."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; put torch-fidelity's {WEIGHTS_NAME} there")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{path}: sha256 is {found}, expected {sha256}; delete the file and fetch it again")


def fetch_inception_weights(
    raw: Path, target: Path, *, address: str | None = None, sha256: str = WEIGHTS_SHA256
) -> None:
    """Put the checked weights at `target`, fetching them only if `raw` does not hold them yet.

    Parameters
    ----------
    raw : Path
        Folder of downloaded or hand-placed files.
    target : Path
        Where the weights are wanted; a copy, so that a file put there by hand is never deleted.
    address : str, optional
        Where to fetch them; torch-fidelity's by default.

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
    """Fetch to a file beside `place`, check it and move it there: all or nothing."""
    logger.info("fetching %s", address)
    try:
        torch.hub.download_url_to_file(address, str(place), hash_prefix=sha256, progress=False)
    except (URLError, OSError, RuntimeError) as error:  # torch raises RuntimeError for a wrong hash
        raise ConnectionError(
            f"the Inception weights could not be fetched from {address} ({error}); "
            f"fetch {WEIGHTS_NAME} elsewhere and put it at {place}"
        ) from error
