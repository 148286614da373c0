"""The nested mask's arithmetic: where codes are cut, and what a dimension is worth."""

from __future__ import annotations

import pytest
import torch

from maskaae.method.nested import best_prefix, cut_everywhere, prefix_gates, prefix_lengths
from maskaae.method.presets import search_reach


def test_lengths_by_hand() -> None:
    """A share of 0.5 is not cut at all; the other half is spread evenly over 1 to m."""
    uniform = torch.tensor([0.0, 0.49, 0.5, 0.62, 0.63, 0.99])
    none, four = torch.tensor(0.0), torch.tensor(4.0)
    assert prefix_lengths(uniform, none, four, full_share=0.5).tolist() == [4.0, 4.0, 1.0, 1.0, 2.0, 4.0]
    two = torch.tensor(2.0)
    assert prefix_lengths(uniform, two, four, full_share=0.5).tolist() == [4.0, 4.0, 3.0, 3.0, 3.0, 4.0]


@pytest.mark.parametrize(("least", "m", "full_share"), [(0, 1, 0.0), (0, 4, 0.3), (0, 7, 0.0), (3, 7, 0.3)])
def test_every_length_is_drawn_as_often_as_it_should(least: int, m: int, full_share: float) -> None:
    """Frequencies over an even grid of uniform numbers are those of the law."""
    grid = (torch.arange(100_000) + 0.5) / 100_000
    lengths = prefix_lengths(grid, torch.tensor(float(least)), torch.tensor(float(m)), full_share)
    expected = torch.full((m,), (1 - full_share) / (m - least))
    expected[:least] = 0.0
    expected[-1] += full_share
    found = torch.stack([(lengths == k).float().mean() for k in range(1, m + 1)])
    assert torch.allclose(found, expected, atol=1e-4)


def test_gates_keep_the_first_dimensions() -> None:
    """Two of three dimensions kept, and all, also where the length is above the capacity."""
    gates = prefix_gates(torch.tensor([[2.0], [3.0], [7.0]]), m=3)
    assert gates.tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


def test_codes_are_cut_everywhere() -> None:
    """One code of two numbers gives the empty one, its first number, and itself."""
    codes = torch.tensor([[[3.0, 5.0]]])
    assert cut_everywhere(codes).tolist() == [[[[0.0, 0.0], [3.0, 0.0], [3.0, 5.0]]]]


def test_best_prefix_has_the_smallest_objective() -> None:
    """An objective of 5, 3, 4 at zero, one and two dimensions; one that is smallest at none of them."""
    objective = torch.tensor([[5.0, 3.0, 4.0], [1.0, 3.0, 4.0]])
    assert best_prefix(objective, m=2).tolist() == [[True, False], [False, False]]


def test_best_prefix_opens_no_more_than_it_may() -> None:
    """Of three dimensions two may be opened: the better of one and two."""
    objective = torch.tensor([[9.0, 3.0, 2.0], [9.0, 2.0, 3.0]])
    assert best_prefix(objective, m=3).tolist() == [[True, True, False], [True, False, False]]


def test_reach_is_half_as_many_again_and_two_rounded_up() -> None:
    """Two open: five are looked at; three: 6.5, so seven; none: two, so that the count can grow again."""
    assert search_reach(torch.tensor([2.0, 3.0, 0.0])).tolist() == [5.0, 7.0, 2.0]
    assert search_reach(3) == 7
