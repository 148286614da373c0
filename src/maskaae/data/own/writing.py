"""Writing the user's own vectors and arrays as a data set: holes filled, scaled, classes numbered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from maskaae.data.dataset import SPLITS, DatasetInfo, Labels, Split
from maskaae.data.own.missing import settle_splits
from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import (
    SMALLEST_TRAINING_SPLIT,
    OwnData,
    check_enough,
    encode_classes,
    report_duplicates,
    row_digests,
    scale_splits,
)
from maskaae.data.writer import write_dataset


def write_own(
    folder: Path, spec: Mapping[str, Any], splits: Mapping[Split, OwnData], label_origin: str, notes: Notes
) -> DatasetInfo:
    """Scale vectors, number the classes, count duplicates and write both splits.

    Messages call the place where the classes come from `label_origin`. ValueError if there are fewer training
    examples than a batch, or the classes cannot be used.
    """
    _check_enough(splits["train"].values, spec["path"])
    splits, missing = settle_splits(spec["path"], splits, spec, notes)
    train, test = splits["train"], splits["test"]
    duplicates = report_duplicates(row_digests(train.values), row_digests(test.values))
    keep_duplicates(duplicates, len(test.values), spec["path"], notes)
    details: dict[str, Any] = {
        "path": spec["path"],
        "reading": notes.details(),
        "missing": missing,
        "duplicates": duplicates,
    }
    values = {split: splits[split].values for split in SPLITS}
    if train.names:
        values["train"], values["test"], details["scaling"] = scale_splits(
            train.values, test.values, spec["scaling"], train.names
        )
        constant = [train.names[column] for column in details["scaling"]["constant"]]
        if constant:
            notes.keep(f"{spec['path']}: constant over the training split: {', '.join(constant)}")
    labels: dict[Split, Labels] = {}
    label_names: list[str] = []
    if train.classes is not None and test.classes is not None:
        labels, label_names = encode_classes(train.classes, test.classes, label_origin)
    return write_dataset(
        folder,
        name=spec["name"],
        source=spec["source"],
        train=values["train"],
        test=values["test"],
        labels=labels,
        label_names=label_names,
        details=details,
    )


def keep_duplicates(duplicates: Mapping[str, int | None], size: int, path: str, notes: Notes) -> None:
    """Keep among the warnings how many of the `size` examples of the test split train too."""
    if duplicates["test_rows_in_train"]:
        notes.keep(
            f"{path}: {duplicates['test_rows_in_train']} of {size} examples of the test split are in the "
            "training split too"
        )


def _check_enough(train: NDArray[Any], path: str) -> None:
    """Refuse too few examples; where there are more columns than rows, these may be the examples."""
    try:
        check_enough(len(train), path)
    except ValueError as error:
        if train.ndim != 2 or train.shape[1] < max(len(train), SMALLEST_TRAINING_SPLIT):
            raise
        raise ValueError(
            f"{error}. There are more columns, {train.shape[1]}: if they are the examples, turn the data "
            "before you save them (x.T)"
        ) from error
