"""Candidates for hyper-parameters, as a configuration gives them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Candidates:
    """Values to try for some hyper-parameters of a model.

    Attributes
    ----------
    capacity : int
        Assumed latent dimension m at which they are compared; what is chosen serves all capacities.
    values : mapping of str to sequence
        Values by key, a dot between a group and its key: ``vae.variance``.
    """

    capacity: int
    values: Mapping[str, Sequence[Any]]

    @classmethod
    def from_config(cls, values: Mapping[str, Any]) -> Candidates:
        """Read ``{"capacity": m, "vae.variance": [...], ...}``."""
        return cls(values["capacity"], {key: tried for key, tried in values.items() if key != "capacity"})

    @property
    def overrides(self) -> list[dict[str, Any]]:
        """Every combination of values, as `Hyperparameters.override` takes it."""
        combinations = itertools.product(*self.values.values())
        return [nested(dict(zip(self.values, combination, strict=True))) for combination in combinations]


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Put keys with a dot into their groups: ``{"vae.variance": 1}`` becomes ``{"vae": {"variance": 1}}``."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *group, name = key.split(".", maxsplit=1)
        place = tree.setdefault(group[0], {}) if group else tree
        place[name] = value
    return tree
