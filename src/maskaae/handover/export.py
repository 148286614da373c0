"""A trained model as two networks that other tools run, in ONNX and as `torch.export` writes them.

Closed dimensions are cut out of the weights, and the scaling of the user's columns is part of the networks:
in go data as they are in the user's file, out come codes of the active dimensions, and back.
"""

from __future__ import annotations

import copy
import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskaae.data.own.splits import Scaling
from maskaae.evaluation.examples import to_model_input, to_stored_form
from maskaae.evaluation.inspection import unexplained, value_errors
from maskaae.handover.card import Unseen, model_card
from maskaae.models.base import LatentModel
from maskaae.models.maae import MaskedAdversarialAutoEncoder
from maskaae.networks.mlp import SeedLinear

Format = Literal["onnx", "pt2"]
"""`onnx` for onnxruntime and others; `pt2` for `torch.export.load`."""
FORMATS: tuple[Format, ...] = get_args(Format)
PACKAGES = ("onnx", "onnxscript")
"""What torch needs to write ONNX."""
CARD = "model_card.md"
EXAMPLES = 2
"""Rows that networks are traced with; a batch of one would be taken for a constant."""


class Columns(nn.Module):
    """Scaling of the user's columns, in double precision: far from zero, single would lose digits."""

    mean: Tensor  # (D,)
    scale: Tensor

    def __init__(self, scaling: Scaling | None, size: int) -> None:
        super().__init__()
        mean = torch.zeros(size) if scaling is None else torch.from_numpy(scaling.mean)
        scale = torch.ones(size) if scaling is None else torch.from_numpy(scaling.scale)
        self.register_buffer("mean", mean.double())
        self.register_buffer("scale", scale.double())


class VectorEncoder(Columns):
    """Vectors float64 (N, D) in the user's units to codes float32 (N, k)."""

    def __init__(self, network: nn.Module, scaling: Scaling | None, size: int) -> None:
        super().__init__(scaling, size)
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Scale and encode."""
        return _of_one_seed(self.network, ((x - self.mean) / self.scale).float())


class VectorDecoder(Columns):
    """Codes float32 (N, k) to vectors float64 (N, D) in the user's units."""

    def __init__(self, network: nn.Module, scaling: Scaling | None, size: int) -> None:
        super().__init__(scaling, size)
        self.network = network

    def forward(self, codes: Tensor) -> Tensor:
        """Decode and bring back to the user's units."""
        return _of_one_seed(self.network, codes).double() * self.scale + self.mean


class ImageEncoder(nn.Module):
    """Images uint8 (N, H, W, C) to codes float32 (N, k)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Encode."""
        return _of_one_seed(self.network, to_model_input(x))


class ImageDecoder(nn.Module):
    """Codes float32 (N, k) to images uint8 (N, H, W, C)."""

    def __init__(self, network: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.network, self._shape = network, shape

    def forward(self, codes: Tensor) -> Tensor:
        """Decode and round."""
        return to_stored_form(_of_one_seed(self.network, codes).sigmoid(), self._shape)


def hand_over(
    model: LatentModel,
    seed: int,
    record: Mapping[str, Any],
    folder: Path,
    *,
    scaling: Scaling | None,
    unseen: NDArray[Any] | None = None,
    formats: Sequence[Format] = FORMATS,
) -> None:
    """Write encoder and decoder of one seed, and a card that says what they are, into a folder.

    Parameters
    ----------
    record : mapping
        Content of the run's `run.json`.
    scaling : Scaling or None
        Of the columns of vectors; None where they were not scaled.
    unseen : ndarray, optional
        Rows, in stored form, that took no part in training: the card says how well they are reconstructed.

    Raises
    ------
    ModuleNotFoundError, ValueError
        As in `write_networks`.
    """
    write_networks(model, seed, scaling, folder, formats)
    error = None if unseen is None else Unseen(len(unseen), unexplained(value_errors(model, seed, unseen)))
    active = int(model.active[model.seeds.index(seed)].sum())
    card = model_card(record, seed=seed, active=active, unseen=error, formats=formats)
    (folder / CARD).write_text(card, encoding="utf-8")


def write_networks(
    model: LatentModel, seed: int, scaling: Scaling | None, folder: Path, formats: Sequence[Format] = FORMATS
) -> list[Path]:
    """Write `encoder` and `decoder` of one seed into a folder, a file for each format.

    Parameters
    ----------
    model : LatentModel
        MAAE or WAE, with the seed among its seeds.
    scaling : Scaling or None
        Of the columns of vectors; None where they were not scaled.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ModuleNotFoundError
        If ONNX is asked for and cannot be written.
    ValueError
        If the mask closed every dimension, a format is unknown, or the model is of another kind.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"formats: {unknown[0]!r} is unknown; choose from {', '.join(FORMATS)}")
    if "onnx" in formats and not can_write_onnx():
        raise ModuleNotFoundError(
            "ONNX needs the extra `onnx`: pip install 'maskaae[onnx]', or formats=['pt2']"
        )
    encoder, decoder = networks_of_seed(model, seed, scaling)
    spec, active = model.spec, int(model.active[model.seeds.index(seed)].sum())
    images = torch.zeros(EXAMPLES, *spec.shape, dtype=torch.uint8 if spec.kind == "images" else torch.float64)
    inputs = {"encoder": (encoder, images), "decoder": (decoder, torch.zeros(EXAMPLES, active))}
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(network, example, folder / f"{name}.{ending}")
        for name, (network, example) in inputs.items()
        for ending in formats
    ]


def available_formats() -> tuple[Format, ...]:
    """Formats that can be written here: ONNX needs an extra."""
    return FORMATS if can_write_onnx() else ("pt2",)


def can_write_onnx() -> bool:
    """Whether the packages of the extra `onnx` are there."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES)


def networks_of_seed(model: LatentModel, seed: int, scaling: Scaling | None) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of one seed between data in the user's units and codes of its active dimensions.

    On the CPU, in evaluation mode. ValueError as of `write_networks`.
    """
    if not isinstance(model, MaskedAdversarialAutoEncoder):
        raise ValueError(f"model {model.spec.model!r} cannot be handed over; MAAE and WAE can")
    index = model.seeds.index(seed)
    active = model.active[index].cpu()
    if not active.any():
        raise ValueError("the mask closed every dimension: there is no code to hand over")
    encoder, decoder = (_one_seed(network, index) for network in (model.encoder, model.decoder))
    last, first = _dense_layers(encoder)[-1], _dense_layers(decoder)[0]
    last.weight = nn.Parameter(last.weight[..., active], requires_grad=False)
    last.bias = nn.Parameter(last.bias[..., active], requires_grad=False)
    first.weight = nn.Parameter(first.weight[:, active], requires_grad=False)
    spec = model.spec
    if spec.kind == "images":
        return ImageEncoder(encoder).eval(), ImageDecoder(decoder, spec.shape).eval()
    size = spec.data_dimension
    return VectorEncoder(encoder, scaling, size).eval(), VectorDecoder(decoder, scaling, size).eval()


def _one_seed(network: nn.Module, index: int) -> nn.Module:
    """Copy a network of all seeds, (seed, ...), for one of them, (1, ...)."""
    copied = copy.deepcopy(network).cpu().requires_grad_(False)
    for tensor in (*copied.parameters(), *copied.buffers()):
        tensor.data = tensor.data[index : index + 1].clone()
    return copied


def _dense_layers(network: nn.Module) -> list[SeedLinear]:
    """Dense layers in their order: an encoder's last makes the codes, a decoder's first takes them."""
    return [module for module in network.modules() if isinstance(module, SeedLinear)]


def _of_one_seed(network: nn.Module, rows: Tensor) -> Tensor:
    """Apply a network on the seed axis, with one seed, to rows (N, size)."""
    output: Tensor = network(rows.unsqueeze(0)).squeeze(0)
    return output


def _write(network: nn.Module, example: Tensor, path: Path) -> Path:
    """Trace a network for any number of rows, and write it in the format that the ending says."""
    program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("rows")},))
    if path.suffix == ".pt2":
        torch.export.save(program, path)
        return path
    names = ["x", "codes"] if path.stem == "encoder" else ["codes", "x"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own deprecated calls
        written = torch.onnx.export(
            program, input_names=names[:1], output_names=names[1:], dynamo=True, verbose=False
        )
        assert written is not None, "torch gives a program where no file is named"
        written.save(path, external_data=False)
    return path
