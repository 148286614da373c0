"""From image files of any kind to square uint8 pixels, in several processes."""

from __future__ import annotations

import io
import itertools
import multiprocessing
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

RESAMPLING = Image.Resampling.BILINEAR
"""Bilinear with antialiasing; how the paper's images were resized is found nowhere (our choice)."""
IMAGES_PER_TASK = 128

_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}
_DEEP_GREY_MODES = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
_ALPHA_MODES = {"LA", "La", "PA", "RGBA", "RGBa"}
_EXIF_ORIENTATION = 0x0112

PATIENCE = 0.5
"""Seconds of work before other processes are started: about what starting them takes."""
_IN_FLIGHT_PER_WORKER = 2
"""Chunks that wait for each process: enough to keep it busy, few enough to fit in memory."""

Task = TypeVar("Task")
Result = TypeVar("Result")

DEEP = "16 bits a channel: reduced to 8"
ALPHA = "transparency: laid on white"
COLOUR_SPACE = "another colour space: converted to RGB"
FRAMES = "several frames: the first is used"
TURNED = "turned as its EXIF data say"
FREE = "pixels without a fixed range: stretched from black to white"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class File:
    """An image file: the name that messages call it, and its path or content."""

    name: str
    source: str | bytes


@dataclass(frozen=True)
class Header:
    """What is known of an image before its pixels are read.

    Attributes
    ----------
    grey : bool
        Whether it has one channel (and perhaps transparency).
    notes : tuple of str
        What will have to be converted: `DEEP`, `ALPHA`, ...
    size : tuple of int
        Width and height.
    limits : tuple of float or None
        Smallest and largest value, where pixels are numbers without a fixed range.
    brightest : int or None
        Largest value, where grey pixels have 16 bits.
    """

    grey: bool
    notes: tuple[str, ...]
    size: tuple[int, int] = (0, 0)
    limits: tuple[float, float] | None = None
    brightest: int | None = None


@dataclass(frozen=True)
class Framing:
    """What is made of each image.

    Attributes
    ----------
    crop : int or None
        Side of the centre crop in pixels of the file; None: the largest centred square.
    size : int
        Side of the result in pixels.
    channels : int
        1 (grey) or 3 (RGB).
    limits : tuple of float
        What is black and what is white where pixels are numbers without a fixed range.
    """

    crop: int | None
    size: int
    channels: int
    limits: tuple[float, float] = (0.0, 1.0)


def read_headers(files: Iterable[File], workers: Workers) -> Iterator[Header]:
    """Yield the header of every file in order; ValueError names a file that is no image."""
    for headers in workers.map(_read_headers, chunked(files, IMAGES_PER_TASK)):
        yield from headers


def decode_all(files: Iterable[File], framing: Framing, workers: Workers) -> Iterator[NDArray[np.uint8]]:
    """Decode, crop and resize every file, drawn only as fast as they are decoded.

    Yields
    ------
    ndarray of uint8 (up to IMAGES_PER_TASK, size, size, channels)
        In the files' order.

    Raises
    ------
    ValueError
        If a file is not an image, is damaged, is smaller than the crop or has no pixels of 8 or 16 bits.
    """
    return workers.map(partial(_decode_chunk, framing=framing), chunked(files, IMAGES_PER_TASK))


def decode(file: File, framing: Framing) -> NDArray[np.uint8]:
    """Decode one file to `(size, size, channels)`; raises as `decode_all`."""
    with _opened(file, framing.limits) as image:
        square = _square(ImageOps.exif_transpose(image), framing.crop)
        mode = "L" if framing.channels == 1 else "RGB"
        resized = _to_mode(square, mode).resize((framing.size, framing.size), RESAMPLING)
        return np.asarray(resized).reshape(framing.size, framing.size, framing.channels)


def _decode_chunk(files: Sequence[File], framing: Framing) -> NDArray[np.uint8]:
    return np.stack([decode(file, framing) for file in files])


def _read_headers(files: Sequence[File]) -> list[Header]:
    return [_read_header(file) for file in files]


def _read_header(file: File) -> Header:
    free = read_free(file)
    if free is not None:
        limits = (float(free.min()), float(free.max()))
        return Header(free.ndim == 2, (FREE,), (free.shape[1], free.shape[0]), limits)
    with _opened(file, (0.0, 1.0)) as image:
        found = {
            DEEP: image.mode in _DEEP_GREY_MODES or _is_deep_colour(image),
            ALPHA: _has_alpha(image),
            COLOUR_SPACE: image.mode not in _GREY_MODES | _ALPHA_MODES | {"RGB", "P"},
            FRAMES: getattr(image, "n_frames", 1) > 1,
            TURNED: image.getexif().get(_EXIF_ORIENTATION, 1) != 1,
        }
        notes = tuple(note for note, true in found.items() if true)
        brightest = int(np.asarray(image).max()) if image.mode in _DEEP_GREY_MODES else None
        return Header(image.mode in _GREY_MODES, notes, image.size, brightest=brightest)


@contextmanager
def _opened(file: File, limits: tuple[float, float]) -> Iterator[Image.Image]:
    """Open an image; whatever goes wrong with it becomes a ValueError that names it."""
    free = read_free(file)
    if free is not None:
        yield _within(free, limits)
        return
    with _naming(file), Image.open(_source(file)) as image:
        yield image


@contextmanager
def _naming(file: File) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UnidentifiedImageError as error:
        head = file.source[:16] if isinstance(file.source, bytes) else _head(file.source, 16)
        what = f"it begins with {head!r}, which no image does" if head else "it is empty"
        raise ValueError(f"{file.name}: cannot be used as an image: {what}") from error
    # SyntaxError is how Pillow reports a broken PNG.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise ValueError(f"{file.name}: cannot be used as an image: {error}") from error


def _source(file: File) -> Any:
    return io.BytesIO(file.source) if isinstance(file.source, bytes) else file.source


def read_free(file: File) -> NDArray[Any] | None:
    """Pixels `(H, W)` or `(H, W, 3)` of a TIFF that are numbers without a fixed range; None of other images.

    Floating-point pixels are; so is what Pillow cannot read, colour of floating point for one, for which
    tifffile must be installed. Whole numbers without a sign come as their share of the largest one.
    ValueError if a pixel is not finite.
    """
    with _naming(file):
        head = file.source[:4] if isinstance(file.source, bytes) else _head(file.source)
    if head not in _TIFF:
        return None
    with _naming(file):
        try:
            with Image.open(_source(file)) as image:
                if image.mode != "F" and not _is_deep_colour(image):
                    return None
                image.load()
                if image.mode != "F":
                    return None
                pixels = np.asarray(image)
        except (UnidentifiedImageError, ValueError):  # the latter where planes of 16 bits are apart
            pixels = _through_tifffile(file)
        if pixels.dtype.kind == "u":
            pixels = pixels / np.iinfo(pixels.dtype).max
        if not np.isfinite(pixels).all():
            raise ValueError("some pixels are no finite numbers")
        return pixels


def _is_deep_colour(image: Image.Image) -> bool:
    """Whether colour of 16 bits will be reduced to 8 while it is read."""
    # Planes apart come from Pillow as R, G, B, ";", "1", "6", and cannot be loaded.
    raw_modes = [str(tile[3]) for tile in getattr(image, "tile", ())]
    return any(";16" in mode or mode.startswith("(';'") for mode in raw_modes)


def _head(path: str, size: int = 4) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(size)


def _through_tifffile(file: File) -> NDArray[Any]:
    try:
        import tifffile
    except ImportError as error:
        raise ValueError("Pillow cannot read it; pip install 'maskaae[formats]' brings tifffile") from error
    pixels: NDArray[Any] = tifffile.imread(_source(file), key=0)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4) and pixels.shape[2] not in (1, 3, 4):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim == 3 and pixels.shape[2] > 4:
        raise ValueError(f"its shape is {pixels.shape}; expected grey or three channels")
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., :3]
    if pixels.ndim != 2 and pixels.shape[2:] != (3,):
        raise ValueError(f"its shape is {pixels.shape}; expected grey or three channels")
    return pixels


def _within(pixels: NDArray[Any], limits: tuple[float, float]) -> Image.Image:
    """Stretch numbers from black to white over 8 bits."""
    low, high = limits
    stretched = (pixels.astype(np.float64) - low) * (255 / (high - low))
    return Image.fromarray(np.rint(np.clip(stretched, 0, 255)).astype(np.uint8))


def _square(image: Image.Image, crop: int | None) -> Image.Image:
    """Cut out the centred square of side `crop`, by default the largest one."""
    width, height = image.size
    side = min(width, height) if crop is None else crop
    if side > min(width, height):
        raise ValueError(f"it is {width}x{height}, smaller than the crop of {side}x{side}")
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA_MODES or "transparency" in image.info


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert to `L` or `RGB`: transparency onto white, 16 bits to 8."""
    if image.mode in _DEEP_GREY_MODES:
        return _to_eight_bits(image).convert(mode)
    if _has_alpha(image):
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert(mode)
    return image.convert(mode)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image).astype(np.int64)
    if pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"its pixels run from {pixels.min()} to {pixels.max()}; 16 bits hold 0 to 65535")
    return Image.fromarray(np.rint(pixels / 257).astype(np.uint8))


class Workers:
    """Processes for tasks that do not depend on each other; started once, and only for work that is worth it.

    Results wait for a slow disk only up to a bound, which joblib (1.6) lacks: its generator of results draws
    tasks as fast as they are done, and a whole data set may wait in memory.

    Parameters
    ----------
    processes : int
        With 1 all is done in this process.

    Examples
    --------
    >>> with Workers(4) as workers:
    ...     list(workers.map(abs, [-1, 2]))
    [1, 2]
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield `function(task)` for every task in order, or raise its exception.

        At most `_IN_FLIGHT_PER_WORKER` tasks for each process are drawn ahead of the results that were taken.
        The function must be defined at the top of a module, for another process to import it.
        """
        remaining = iter(tasks)
        if self._pool is None:
            patience = float("inf") if self._processes == 1 else PATIENCE
            yield from _map_for(patience, function, remaining)
        yield from self._map_in_processes(function, remaining)

    def _map_in_processes(
        self, function: Callable[[Task], Result], tasks: Iterator[Task]
    ) -> Iterator[Result]:
        pending: deque[Future[Result]] = deque()
        for task in tasks:
            pending.append(self._started().submit(function, task))
            if len(pending) > _IN_FLIGHT_PER_WORKER * self._processes:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not `fork`: it copies a process whose other threads (BLAS, torch) may hold locks.
            self._pool = ProcessPoolExecutor(self._processes, multiprocessing.get_context("spawn"))
        return self._pool


def chunked(items: Iterable[Task], size: int) -> Iterator[list[Task]]:
    """Cut `items` into lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def _map_for(seconds: float, function: Callable[[Task], Result], tasks: Iterator[Task]) -> Iterator[Result]:
    """Work in this process until tasks or time are used up; tasks that are left stay in the iterator."""
    end = time.monotonic() + seconds
    for task in tasks:
        yield function(task)
        if time.monotonic() >= end:
            return
