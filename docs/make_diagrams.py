"""Draw the documentation's diagrams: the model, the workflow's rules, the rooms of the package.

The rules come from Snakemake's own rule graph of the demo, the rooms from the imports of the code: neither is
drawn by hand. `make diagrams` writes docs/pictures/*.svg.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs/pictures"
INK, LINE = "#222222", "#666666"
BLUE, ORANGE, GREEN, GREY = "#CFE3F3", "#FBDDB8", "#CDEBDD", "#ECECEC"
ROW = 0.85
"""Height of a row of boxes, in inches."""
Place = tuple[float, float]


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty drawing whose unit is an inch."""
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    return figure, ax


def box(ax: Axes, place: Place, text: str, size: Place = (1.1, 0.5), colour: str = GREY) -> None:
    """A rounded box around a centre, with text in it."""
    (x, y), (width, height) = place, size
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.07",
            fc=colour,
            ec=LINE,
            lw=0.9,
            zorder=2,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=8.5, color=INK, zorder=3)


def arrow(ax: Axes, start: Place, end: Place, text: str = "") -> None:
    """An arrow with words at its middle."""
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=9,
            lw=0.9,
            color=LINE,
            zorder=1,
        )
    )
    if text:
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        ax.text(middle[0], middle[1] + 0.12, text, ha="center", va="bottom", fontsize=8, color=INK)


def draw_model() -> Figure:
    """Data, codes, mask, decoder and critic, with the equation that trains each."""
    figure, ax = canvas(7.4, 2.9)
    box(ax, (0.6, 2.1), "data\n$x$", (0.8, 0.55))
    box(ax, (1.95, 2.1), "encoder $E$\neq 14, 15", (1.1, 0.55), BLUE)
    box(ax, (3.75, 2.1), r"mask  $\odot\,\mu$" "\neq 17", (1.1, 0.55), ORANGE)
    box(ax, (5.45, 2.1), "decoder $G$\neq 14", (1.1, 0.55), BLUE)
    box(ax, (6.8, 2.1), "recon-\nstruction", (0.9, 0.55))
    box(ax, (1.95, 0.65), "prior noise\n$z' \\sim N(0, I_m)$", (1.35, 0.6))
    box(ax, (3.75, 0.65), r"mask  $\odot\,\mu$" "\nthe same", (1.1, 0.55), ORANGE)
    box(ax, (5.45, 0.65), "critic $C$\neq 16", (1.1, 0.55), GREEN)
    box(ax, (6.8, 0.65), "$W$", (0.6, 0.5))
    arrow(ax, (1.0, 2.1), (1.4, 2.1))
    arrow(ax, (2.5, 2.1), (3.2, 2.1), "code $z$")
    arrow(ax, (4.3, 2.1), (4.9, 2.1))
    arrow(ax, (6.0, 2.1), (6.35, 2.1))
    arrow(ax, (2.63, 0.65), (3.2, 0.65))
    arrow(ax, (4.3, 0.65), (4.9, 0.65), "masked\nnoise")
    arrow(ax, (4.2, 1.82), (5.1, 0.92))
    ax.text(4.82, 1.42, "masked code", fontsize=8, color=INK, va="center", ha="left")
    arrow(ax, (6.0, 0.65), (6.5, 0.65))
    return figure


def layers_of(edges: Iterable[tuple[str, str]], names: Sequence[str]) -> dict[str, int]:
    """Depth of each name: the longest way that leads to it."""
    before: dict[str, set[str]] = defaultdict(set)
    for start, end in edges:
        before[end].add(start)
    depth: dict[str, int] = {}

    def measure(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((measure(earlier) for earlier in before[name]), default=-1)
        return depth[name]

    for name in names:
        measure(name)
    return depth


def with_bends(edges: Iterable[tuple[str, str]], depth: dict[str, int]) -> list[list[str]]:
    """Ways from box to box with a bend in each row that they pass; bends get a depth too."""
    ways = []
    for start, end in edges:
        bends = [f"{start} to {end}, row {row}" for row in range(depth[start] + 1, depth[end])]
        depth.update({bend: depth[start] + 1 + number for number, bend in enumerate(bends)})
        ways.append([start, *bends, end])
    return ways


def places_of(ways: Sequence[Sequence[str]], depth: Mapping[str, int], width: float) -> dict[str, Place]:
    """Centres of boxes and bends: rows by depth, in each row sorted by the mean place of what leads there."""
    before: dict[str, list[str]] = defaultdict(list)
    for way in ways:
        for start, end in pairwise(way):
            before[end].append(start)
    places: dict[str, Place] = {}
    last = max(depth.values())

    def mean_place(name: str) -> tuple[float, str]:
        found = [places[start][0] for start in before[name]]
        return (sum(found) / len(found) if found else 0.0, name)

    for level in range(last + 1):
        row = sorted((name for name in depth if depth[name] == level), key=mean_place)
        for number, name in enumerate(row):
            places[name] = width * (number + 0.5) / len(row), ROW * (last - level) + ROW / 2
    return places


def draw_layered(
    edges: Sequence[tuple[str, str]], names: Sequence[str], colours: Mapping[str, str], width: float
) -> Figure:
    """Boxes in rows from top to bottom, and an arrow for each edge."""
    depth = layers_of(edges, names)
    ways = with_bends(edges, depth)
    places = places_of(ways, depth, width)
    rows = Counter(depth.values())
    figure, ax = canvas(width, ROW * len(rows))
    for name in names:
        step = width / rows[depth[name]]
        box(ax, places[name], wrapped(name), (min(1.25, 0.94 * step), 0.42), colours.get(name, GREY))
    for way in ways:
        points = [places[name] for name in way]
        points[0] = points[0][0], points[0][1] - 0.21
        points[-1] = points[-1][0], points[-1][1] + 0.21
        ax.plot(*zip(*points[:-1], strict=True), color=LINE, lw=0.9, zorder=1)
        arrow(ax, points[-2], points[-1])
    return figure


def wrapped(name: str) -> str:
    """A long name on two lines."""
    if len(name) < 15 or "_" not in name:
        return name
    words = name.split("_")
    half = (len(words) + 1) // 2
    return "_".join(words[:half]) + "_\n" + "_".join(words[half:])


def reduced(edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Edges without those that a longer way says already."""
    after: dict[str, set[str]] = defaultdict(set)
    kept = sorted(set(edges))
    for start, end in kept:
        after[start].add(end)

    def reaches(start: str, end: str) -> bool:
        return end in after[start] or any(reaches(middle, end) for middle in after[start])

    return [
        (start, end)
        for start, end in kept
        if not any(reaches(middle, end) for middle in after[start] - {end})
    ]


STAGES = {
    "train": BLUE,
    "tune": BLUE,
    "evaluate": GREEN,
    "reference_statistics": GREEN,
    "train_classifier": GREEN,
}


def draw_rules() -> Figure:
    """The demo's rules, as Snakemake connects them."""
    call = [sys.executable, "-m", "snakemake", "--quiet", "--rulegraph", "--configfile", "config/demo.yaml"]
    graph = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    labels = dict(re.findall(r'(\d+)\[label = "(\w+)"', graph))
    edges = [(labels[a], labels[b]) for a, b in re.findall(r"(\d+) -> (\d+)", graph)]
    edges = [(a, b) for a, b in edges if b != "all"]
    names = sorted({name for edge in edges for name in edge})
    colours = {name: STAGES.get(name, ORANGE if name.startswith("prepare") else GREY) for name in names}
    return draw_layered(reduced(edges), names, colours, 11.0)


def room_of(module: str) -> str:
    """Room of a module, or its own name if it stands at the root."""
    return module.split(".")[1] if "." in module else ""


def draw_rooms() -> Figure:
    """The rooms of the package: an arrow from a room to each that imports it.

    The configuration checks what figures ask of it by their records alone, which import nothing: left out.
    """
    package = ROOT / "src/maskaae"
    helpers = {"randomness", "logs", "provenance"}
    edges = set()
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        here = parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("maskaae."):
                there = room_of(node.module)
                if node.module == "maskaae.report.records":
                    continue
                if there not in {"", here} and not {here, there} & helpers:
                    edges.add((there, here))
    names = sorted({name for edge in edges for name in edge})
    faces = {"estimator", "cli", "verify"}
    colours = {name: ORANGE if name in faces else BLUE for name in names}
    return draw_layered(reduced(edges), names, colours, 5.0)


def main() -> None:
    """Write every diagram."""
    matplotlib.rcParams["svg.hashsalt"] = "maskaae"  # the same file from the same drawing
    PICTURES.mkdir(exist_ok=True)
    for name, draw in {"model": draw_model, "rules": draw_rules, "rooms": draw_rooms}.items():
        draw().savefig(PICTURES / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
