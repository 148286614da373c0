"""Copy the figures of the last run into the docs, small enough to be kept in git: `make docs`."""

import sys
from pathlib import Path

from PIL import Image

COLOURS = 256


def main(figures: Path, target: Path) -> None:
    """Write every PNG of ``figures`` to ``target`` with a palette of 256 colours."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(figures.glob("*.png")):
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
                target / path.name, optimize=True
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
