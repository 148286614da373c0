"""Models by name, built with fresh weights or loaded from their files."""

from __future__ import annotations

import dataclasses
import json
import pkgutil
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from maskaae.method.spec import ModelSpec
from maskaae.models.base import LatentModel
from maskaae.models.catalogue import entry_point


def build_model(spec: ModelSpec) -> LatentModel:
    """Build the model that a specification names, with fresh weights from its seeds."""
    return _model_class(spec)(spec)


def build_for_training(spec: ModelSpec) -> LatentModel:
    """Build the form of it that is trained; `LatentModel.stored_form` makes the model itself of that."""
    model_class = _model_class(spec)
    return model_class(model_class.training_spec(spec))


def _model_class(spec: ModelSpec) -> type[LatentModel]:
    """Import the model's module, and no other model's."""
    place = entry_point(spec.model, spec.hyperparameters.fidelity.mask_training)
    model_class: type[LatentModel] = pkgutil.resolve_name(place)
    return model_class


def model_bytes(model: LatentModel) -> bytes:
    """Return the stored form as a safetensors file: specification, and lost seeds if any, in the header."""
    model = model.stored_form()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    metadata = {"spec": json.dumps(model.spec.to_dict(), sort_keys=True)}
    if model.lost:
        metadata["lost"] = json.dumps(model.lost, sort_keys=True)
    return save(tensors, metadata=metadata)


def of_one_seed(model: LatentModel, seed: int) -> LatentModel:
    """Copy the stored form of a model for one of its seeds, for inference; ValueError if it has none such."""
    model = model.stored_form()
    place = model.seeds.index(seed)
    one = build_model(dataclasses.replace(model.spec, seeds=(seed,)))
    # Every tensor of a model has the seed axis first.
    one.load_state_dict({name: tensor[place : place + 1] for name, tensor in model.state_dict().items()})
    return one.to(model.mu.device).eval().requires_grad_(False)


def load_model(path: Path, device: torch.device | str = "cpu") -> LatentModel:
    """Load a model for inference.

    Parameters
    ----------
    path : Path
        A safetensors file written by training.
    device : torch.device or str
        Where to put it.

    Raises
    ------
    ValueError
        If the file holds no model of ours.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise ValueError(
            f"{path}: no safetensors file ({error}); expected one written by training"
        ) from error
    if "spec" not in metadata:
        raise ValueError(f"{path}: no 'spec' in the header; expected a model file written by training")
    try:
        model = build_model(ModelSpec.from_dict(json.loads(metadata["spec"])))
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # a foreign 'spec', or foreign weights
        raise ValueError(f"{path}: not a model of this version of the code ({error})") from error
    model.lost = {int(seed): reason for seed, reason in json.loads(metadata.get("lost", "{}")).items()}
    return model.to(device).eval().requires_grad_(False)
