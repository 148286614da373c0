"""The command ``maskaae``: it counts the dimensions that a file of data needs.

Whatever takes long to import is imported where it is used: ``--help`` and a wrong option answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskaae.counting.answer import Count
    from maskaae.counting.count import Event
    from maskaae.counting.settings import CountSettings
    from maskaae.data.own.load import OwnReading

WRONG_INPUT = 2
INTERRUPTED = 130
LONGEST_MESSAGE = 10
"""Lines of a message about wrong input."""
OWN_ENTRY = "data set 'own': "
"""How messages on keys of the data begin, for those who write a configuration."""
FLAGS = ("drop", "label", "missing")
"""Keys of a data set that have an option of their own; others are given by ``--options``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 2 for input that the user can mend, 130 if interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        count(options)
    except (ValueError, OSError, ImportError) as error:
        print(refusal(error, options), file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("\ninterrupted: no answer", file=sys.stderr)
        return INTERRUPTED
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Describe every option."""
    parser = argparse.ArgumentParser(prog="maskaae", description="How many dimensions do data need?")
    parser.add_argument("--version", action="version", version=f"maskaae {_version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "count",
        help="count the dimensions that a table, an array or a folder of images needs",
        description="Count the dimensions that a table, an array or a folder of images needs.",
        epilog="Goes on with `make own DATA=...` in the repository: figures, comparison with WAE, the model.",
    )
    command.add_argument("data", metavar="DATA", help="table, array, folder or archive of images")
    reading = command.add_argument_group("reading")
    reading.add_argument("--drop", metavar="A,B", help="columns that are not to be learned")
    reading.add_argument("--label", metavar="NAME", help="column, or array of an npz file, of classes")
    reading.add_argument("--missing", metavar="HOW", help="missing values: drop_rows, drop_columns or median")
    reading.add_argument(
        "--options",
        default="",
        metavar="'KEY=VALUE ...'",
        help="further keys of the data (docs/data.md), as 'decimal=, size=64'",
    )
    training = command.add_argument_group("training")
    training.add_argument("--capacity", type=int, metavar="M", help="dimensions to start with (32, or D)")
    training.add_argument("--seeds", type=int, default=5, metavar="N", help="models that vote (5)")
    training.add_argument("--preset", default="robust", help="robust (ours) or paper (the released method)")
    training.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="training steps, at most (16000, or 4000 with convolutional nets)",
    )
    training.add_argument(
        "--network", default="auto", help="mlp, convolutional, or what suits the data: auto (auto)"
    )
    training.add_argument(
        "--widest", type=int, default=0, metavar="W", help="compare nets twice as wide, up to this width"
    )
    training.add_argument(
        "--jobs", type=int, metavar="N", help="processes; two are of use (as many as cores)"
    )
    training.add_argument("--device", default="cpu", help="cpu, or cuda for a GPU")
    output = command.add_argument_group("output")
    output.add_argument("--json", metavar="OUT", type=Path, help="write the answer as JSON too")
    output.add_argument("--quiet", action="store_true", help="print the answer alone")
    output.add_argument("--for-make", action="store_true", help=argparse.SUPPRESS)
    return parser


def count(options: argparse.Namespace) -> None:
    """Read, count and answer, as the options say."""
    started = time.monotonic()
    settings = settings_of(options)
    if options.json is not None and not options.json.parent.is_dir():
        raise FileNotFoundError(f"--json {options.json}: there is no folder {options.json.parent}")
    if options.json is not None and options.json.is_dir():
        raise IsADirectoryError(f"--json {options.json}: is a folder; give the name of a file")
    if not options.data:
        raise ValueError("DATA is empty; give the path of a table, an array or a folder of images")
    tell = _Teller(options.quiet, settings)
    from maskaae.counting.count import count_dimensions
    from maskaae.counting.phrases import answer_text
    from maskaae.data.own.load import read_own

    with TemporaryDirectory() as folder, _log_to_terminal(options.quiet):
        reading = read_own(Path(options.data), Path(folder) / "own", reading_options(options))
        tell.reading(options.data, reading)
        answer = count_dimensions(reading.dataset, settings, tell)
    if options.json is not None:
        options.json.write_text(json.dumps(_as_json(options.data, reading, answer), indent=2) + "\n")
    tell.line("")
    print(answer_text(answer))
    seconds = time.monotonic() - started
    tell.line(f"\n{seconds:.0f} s. Figures, the comparison with WAE and a model to use: {_next(options)}")


def settings_of(options: argparse.Namespace) -> CountSettings:
    """Settings of the count; ValueError says what is wrong."""
    from joblib import cpu_count

    from maskaae.counting.settings import CountSettings

    if options.seeds < 1:
        raise ValueError(f"--seeds {options.seeds}: give 1 or more")
    if options.widest < 0:
        raise ValueError(f"--widest {options.widest}: give a width, or 0 to compare none")
    jobs = cpu_count() if options.jobs is None else options.jobs
    return CountSettings(
        capacity=options.capacity,
        seeds=tuple(range(options.seeds)),
        preset=options.preset,
        network=options.network,
        widest=options.widest,
        jobs=jobs,
        device=options.device,
        steps=options.steps,
    )


def reading_options(options: argparse.Namespace) -> dict[str, Any]:
    """Keys of the data set that the options name; ValueError if one is not in the form KEY=VALUE."""
    from maskaae.data.own.notes import settings

    return settings({key.upper(): getattr(options, key) or "" for key in (*FLAGS, "options")})


def refusal(error: Exception, options: argparse.Namespace) -> str:
    """Say what is wrong with the input in at most ten lines, with the command that would settle it."""
    choices: Mapping[str, Any] = getattr(error, "options", {})
    said = str(getattr(error, "problem", error)).removeprefix(OWN_ENTRY)
    lines = f"maskaae: {said}".splitlines()
    way_on = [again(options, {**reading_options(options), **choices})] if choices else []
    room = LONGEST_MESSAGE - len(way_on)
    shown = lines if len(lines) <= room else [*lines[: room - 1], "..."]
    return "\n".join([*shown, *way_on])


def again(options: argparse.Namespace, keys: Mapping[str, Any]) -> str:
    """The command that counts the same data with other keys, to copy and paste."""
    from maskaae.data.own.notes import command

    if options.for_make:
        return command(options.data, keys).replace("make own", "make count", 1)
    words = ["maskaae", "count", options.data]
    rest = []
    for key, value in keys.items():
        listed = isinstance(value, list)
        text = ",".join(map(str, value)) if listed else str(value)
        if key in FLAGS and not (listed and any("," in str(one) for one in value)):
            words += [f"--{key}", text]
        else:
            rest.append(f"{key}={json.dumps(value, ensure_ascii=False) if listed else text}")
    return shlex.join([*words, *(["--options", shlex.join(rest)] if rest else [])])


class _Teller:
    """Says on standard error what is going on, line by line; nothing if told to be quiet."""

    def __init__(self, quiet: bool, settings: CountSettings) -> None:
        self._quiet, self._settings = quiet, settings

    def line(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)

    def reading(self, path: str, reading: OwnReading) -> None:
        info = reading.dataset.info
        shape = " x ".join(map(str, info.shape))
        self.line(f"{path}: {info.n_train + info.n_test:,} {info.kind} of {shape}")
        said = {"guessed": reading.guessed, "left out": reading.left_out, "warning": reading.warnings}
        for kind, sentences in said.items():
            for sentence in sentences:
                self.line(f"- {kind}: {sentence.removeprefix(f'{path}: ')}")

    def __call__(self, event: Event) -> None:
        from maskaae.counting.answer import Round, Trial
        from maskaae.counting.phrases import round_text, trial_text, witnesses_text

        if isinstance(event, Round):
            self.line(f"  {round_text(event)}")
        elif isinstance(event, Trial):
            settings = self._settings
            self.line(trial_text(event, len(settings.seeds), settings.longest(event)))
        else:
            self.line(f"Estimators without training: {witnesses_text(event)}")


@contextlib.contextmanager
def _log_to_terminal(quiet: bool) -> Iterator[None]:
    """Show training's lines meanwhile where no bar is shown; what reading says is printed once, by us."""
    root, logger = logging.getLogger(), logging.getLogger("maskaae.training.loop")
    nothing, lines = logging.NullHandler(), logging.StreamHandler()
    lines.setFormatter(logging.Formatter("  %(message)s"))
    shown = not quiet and not sys.stderr.isatty()
    root.addHandler(nothing)
    if shown:
        logger.addHandler(lines)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(nothing)
        logger.removeHandler(lines)


def _as_json(path: str, reading: OwnReading, answer: Count) -> dict[str, Any]:
    said = {"guessed": reading.guessed, "left_out": reading.left_out, "warnings": reading.warnings}
    return {"data": path, "reading": said, **answer.to_dict()}


def _version() -> str:
    """Version of the package; one that runs from its sources alone may have none."""
    try:
        return version("maskaae")
    except PackageNotFoundError:
        return "from its sources, not installed"


def _next(options: argparse.Namespace) -> str:
    """Command that goes on with the same data."""
    from maskaae.data.own.notes import command

    return command(options.data, reading_options(options))


if __name__ == "__main__":
    sys.exit(main())
