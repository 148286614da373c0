"""The model card: what a model that is handed over was made of, how good it is, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskaae.report.markup import markdown_table

PRESET_WORDS = {
    "nested": "`robust`: ours, which measures what each dimension is worth and opens the best number of them",
    "soft": "`paper`: the released method, whose mask follows the derivative of eq 17",
}
"""Each preset by how its mask is trained."""

USE = {
    "onnx": """```python
import onnxruntime

encoder = onnxruntime.InferenceSession("encoder.onnx")
decoder = onnxruntime.InferenceSession("decoder.onnx")
(codes,) = encoder.run(None, {{"x": x}})  # x: {data}
(back,) = decoder.run(None, {{"codes": codes}})  # codes: {codes}
```""",
    "pt2": """```python
import torch

encoder = torch.export.load("encoder.pt2").module()
codes = encoder(torch.from_numpy(x))  # x: {data}
back = torch.export.load("decoder.pt2").module()(codes)  # codes: {codes}
```""",
}
"""How networks of each format are run."""


@dataclass(frozen=True)
class Unseen:
    """How well rows that took no part in training are reconstructed.

    Attributes
    ----------
    rows : int
        How many were measured.
    unexplained : float
        Share of their variance around the training mean that the reconstruction leaves.
    """

    rows: int
    unexplained: float

    def __str__(self) -> str:
        """Words for a table."""
        return f"{self.unexplained:.1%} of the variance of {self.rows:,} rows stays unexplained"


def model_card(
    record: Mapping[str, Any],
    *,
    seed: int,
    active: int,
    unseen: Unseen | None,
    formats: Sequence[str],
) -> str:
    """Write the card of one seed of a run, in Markdown.

    Parameters
    ----------
    record : mapping
        Content of the run's `run.json`.
    active : int
        Dimensions that the seed uses.
    unseen : Unseen or None
        Error on rows that took no part in training; None where none were given.
    formats : sequence of str
        Formats that the networks were written in, of `maskaae.handover.export.FORMATS`.
    """
    spec, plan, versions = record["spec"], record["plan"], record["versions"]
    shape = ", ".join(map(str, spec["shape"]))
    data = f"uint8 (N, {shape})" if spec["kind"] == "images" else f"float64 (N, {shape})"
    codes = f"float32 (N, {active}), standard normal to generate"
    network = f"{spec['network']}, widths {spec['channels'] or spec['hidden']}"
    rows = [
        ["data", f"`{record['dataset']}`, {spec['kind']}, {data}, sha256 `{record['data_sha256'][:16]}`"],
        ["dimensions in use", f"{active} of {spec['m']} (capacity)"],
        ["preset", PRESET_WORDS[spec["hyperparameters"]["fidelity"]["mask_training"]]],
        ["error on unseen rows", "not measured" if unseen is None else str(unseen)],
        ["networks", f"{network}; critic {spec['critic_hidden']}"],
        [
            "training",
            f"{record['steps']:,} steps of {plan['batch_size']} examples, seed {seed}, on {record['device']}",
        ],
        ["made with", ", ".join(f"{name} {version}" for name, version in versions.items())],
        ["commit", str(record.get("commit"))],
    ]
    scaling = record.get("scaling") or {}
    scaled = scaling.get("method", "none") == "standardise"
    unscaled = "Columns go in unscaled, as they are in the file. " if scaled else ""
    use = "\n\n".join(USE[name].format(data=data, codes=codes) for name in formats)
    return f"""# Model card

A MaskAAE (arXiv 1912.04564): an encoder to {active} numbers, and a decoder back.

{markdown_table(["", ""], rows, "ll")}

## How to use it

{use}

{unscaled}Any number of rows goes. Closed dimensions are not in the networks.
{_column_list(scaling.get("columns", ()))}
## Limits

- The count is that of these data, this network and this length of training; other seeds may count another.
- The networks know only data like those they were trained on, and do not say when they are given others.
- Generated examples copy what is common in the training data, its biases included, and less of what is rare.
- Codes have no names, and another seed's codes mean something else.
"""


def _column_list(columns: Sequence[str]) -> str:
    """Name the columns in order, the first hundred of them."""
    if not columns:
        return ""
    named = ", ".join(f"`{name}`" for name in columns[:100])
    return f"\nColumns, in this order: {named}{', ...' if len(columns) > 100 else ''}.\n"
