"""Figure `mask_starts`: whether the start of the mask tells its end."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from maskaae.report.figures import mask_starts


def checkpoints(folder, steps, name="mask_parameter"):
    """A run with two seeds and three dimensions; `steps` has M of every checkpoint."""
    path = folder / "d/maae/m3/checkpoints"
    path.mkdir(parents=True)
    for step, values in steps.items():
        tensors = {name: np.array(values, np.float32)}
        save_file(tensors, path / f"step_{step:07d}.safetensors", {"spec": json.dumps({"seeds": [0, 7]})})
    return path


STARTS, ENDS = [[0.2, 1.5, 3.0], [0.5, 1.0, 4.0]], [[0.0, 4.0, 9.0], [0.0, 0.05, 9.0]]


def data(folder, threshold=0.1):
    starts = mask_starts.read_mask_starts([checkpoints(folder, {0: STARTS, 5: [[9.0] * 3] * 2, 10: ENDS})])
    one = {"d": threshold}
    return mask_starts.mask_starts_data(starts, {"d": "paper"}, {"d": 2}, {"d": "Data"}, one)


def test_a_dimension_is_active_if_its_last_mask_value_is_above_the_threshold(tmp_path):
    """mu = 1 - exp(-0.05) is 0.049: below 0.1, above 0.04."""
    frame = data(tmp_path / "1")
    assert frame[["m", "seed", "dimension"]].to_numpy().tolist() == [
        [3, seed, j] for seed in (0, 7) for j in range(3)
    ]
    assert frame["start"].tolist() == pytest.approx([start for seed in STARTS for start in seed])
    assert frame["active"].tolist() == [False, True, True, False, False, True]
    assert data(tmp_path / "2", threshold=0.04)["active"].tolist() == [False, True, True, False, True, True]


@pytest.mark.parametrize(
    ("start", "active", "split", "told"),
    [
        ([0.2, 1.0, 1.5, 3.0], [False, False, True, True], 1.25, 4),
        ([3.0, 0.2, 1.5, 1.0], [True, False, False, True], 0.6, 3),  # in any order; the lowest of two splits
        ([0.2, 1.0], [True, True], -0.05, 2),
        ([0.2, 1.0], [False, False], 1.25, 2),
        ([0.2, 1.0, 1.5], [True, True, False], -0.05, 2),  # the start tells nothing
    ],
)
def test_the_best_split_has_most_dimensions_on_their_side(start, active, split, told):
    found = mask_starts.best_split(np.array(start), np.array(active))
    assert found == (pytest.approx(split), told)


def test_picture_says_of_how_many_dimensions_the_start_tells_what_becomes_of_them(tmp_path):
    figure = mask_starts.draw_mask_starts(data(tmp_path))
    assert [ax.get_title() for ax in figure.axes] == ["$m=3$: 6 of 6 on their side"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["0", "7"]
    assert figure._suptitle.get_text() == "Data: MAAE (paper)"
    marks = {line.get_markerfacecolor(): len(line.get_xdata()) for line in figure.axes[0].lines[:2]}
    assert sorted(marks.values()) == [3, 3]


def test_a_run_without_two_checkpoints_or_a_mask_is_refused(tmp_path):
    with pytest.raises(ValueError, match="1 checkpoints; expected those of the first and the last step"):
        mask_starts.read_mask_starts([checkpoints(tmp_path / "1", {0: STARTS})])
    with pytest.raises(ValueError, match=r"step_0000000\.safetensors: the model has no mask"):
        mask_starts.read_mask_starts([checkpoints(tmp_path / "2", {0: STARTS, 1: ENDS}, "encoder.weight")])
