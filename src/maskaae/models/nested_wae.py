"""What MaskAAE's schedule gives without its mask: the training of the preset ``robust`` at a given count."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from maskaae.method.nested import in_prefix
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Update
from maskaae.models.maae import MaskedAdversarialAutoEncoder, StepConstants
from maskaae.models.nested_maae import NestedMaskedAdversarialAutoEncoder


class NestedWassersteinAutoEncoder(NestedMaskedAdversarialAutoEncoder):
    """A WAE that is trained as MaskAAE is, and is told the count: all m dimensions [our choice].

    Spare dimensions, codes cut off at random, windows, annealing and refinement are MaskAAE's; only the mask
    is not learned. So its distance at m, next to that of MaskAAE which counts m, is what learning the mask
    costs, and next to the plain WAE's what the schedule gives. It draws the batches and the noise that
    MaskAAE draws. Its search has the longest length: there is no count that could settle.
    """

    def _initial_mask(self) -> Tensor:
        """The first ``capacity`` of all dimensions are open, M infinite; the spare ones are closed."""
        opened = in_prefix(torch.full((len(self.seeds), 1), self.spec.capacity), self.m)
        return torch.where(opened, torch.inf, 0.0)

    @classmethod
    def training_spec(cls, spec: ModelSpec) -> ModelSpec:
        """With room, as MaskAAE, and a search of fixed length."""
        return dataclasses.replace(super().training_spec(spec), shortest_search=None)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of the three updates that are left."""
        return {name: group for name, group in super().parameter_groups().items() if name != "mask"}

    def mask_updates(self, x: Tensor, prior: Tensor, constants: StepConstants) -> Iterator[Update]:
        """Nothing: the mask stays as it is."""
        return iter(())

    def count_at_weight(self, factor: float) -> Tensor:
        """The capacity, (seed,), whatever the reconstruction weighs."""
        return torch.full((len(self.seeds),), self.spec.capacity, device=self.mask_parameter.device)

    def monitors(self) -> dict[str, Tensor]:
        """Those of the soft mask: nothing is measured at cuts."""
        return MaskedAdversarialAutoEncoder.monitors(self)
