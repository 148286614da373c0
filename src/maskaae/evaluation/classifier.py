"""The small classifier whose features judge images and vectors that Inception was never made for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from maskaae.evaluation.examples import batches, to_model_input
from maskaae.randomness import torch_generator

CONVOLUTIONAL_FROM = 16
"""Smallest image side, in pixels, that gets convolutions; smaller images get the MLP (our choice)."""


@dataclass(frozen=True)
class ClassifierSettings:
    """How the classifier is trained; all of it is our choice.

    Attributes
    ----------
    steps : int
        Adam steps, with a learning rate that falls linearly to zero.
    batch : int
        Examples per step, drawn with replacement.
    learning_rate : float
        Learning rate of the first step.
    seed : int
        Seed of weights and batches.
    """

    steps: int = 3000
    batch: int = 64
    learning_rate: float = 2e-3
    seed: int = 0


class Classifier(nn.Module):
    """An MLP for vectors and tiny images, a convolutional net for larger images.

    Parameters
    ----------
    shape : tuple of int
        Shape of one stored example, (H, W, C) or (D,).
    generator : torch.Generator, optional
        Source of the initial weights (He normal); without it they are left to be loaded.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.shape = shape
        convolutional = len(shape) == 3 and min(shape[:2]) >= CONVOLUTIONAL_FROM
        body, width = _convolutional_body(shape) if convolutional else _mlp_body(shape)
        self.body = body
        self.head = nn.Linear(width, classes)
        if generator is not None:
            self._initialise(generator)

    @property
    def architecture(self) -> str:
        """Its layers, in words."""
        return " - ".join(str(layer) for layer in (*self.body, self.head))

    def penultimate(self, x: Tensor) -> Tensor:
        """Activations before the last layer, (N, width), of model input (N, D)."""
        activations: Tensor = self.body(x)
        return activations

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of model input (N, D)."""
        logits: Tensor = self.head(self.penultimate(x))
        return logits

    def _initialise(self, generator: torch.Generator) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


class _ToChannelsFirst(nn.Module):
    """Rows (N, H * W * C) back to images (N, C, H, W)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, *self.shape).permute(0, 3, 1, 2)


def _mlp_body(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    width = 64
    dimension = int(np.prod(shape))
    return nn.Sequential(nn.Linear(dimension, 128), nn.ReLU(), nn.Linear(128, width), nn.ReLU()), width


def _convolutional_body(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    height, columns, channels = shape
    width = 128
    body = nn.Sequential(
        _ToChannelsFirst(shape),
        *(nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * (height // 4) * (columns // 4), width), nn.ReLU()),
    )
    return body, width


def train_classifier(
    train: NDArray[Any],
    labels: NDArray[np.int64],
    *,
    classes: int,
    settings: ClassifierSettings,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Train the classifier on the training split; it comes back in evaluation mode, its weights frozen.

    Parameters
    ----------
    train : numpy.ndarray
        Stored examples, (N, H, W, C) or (N, D).
    labels : numpy.ndarray
        Class of each example, int64 (N,), in 0 .. classes - 1.

    Raises
    ------
    ValueError
        If the data set has no labels, or not one per example.
    """
    if classes < 2 or len(labels) != len(train):
        raise ValueError(
            f"{classes} classes and {len(labels)} labels for {len(train)} examples: a classifier needs at "
            "least 2 classes and a label for every example; evaluate an unlabelled data set on raw features"
        )
    generator = torch_generator(settings.seed, "classifier")
    classifier = Classifier(train.shape[1:], classes, generator).to(device)
    optimiser = torch.optim.Adam(classifier.parameters(), lr=settings.learning_rate)
    decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=settings.steps)
    for x, target in _random_batches(train, labels, settings, generator, device):
        optimiser.zero_grad()
        nn.functional.cross_entropy(classifier(x), target).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        decay.step()
    return classifier.eval().requires_grad_(False)


def _random_batches(
    train: NDArray[Any],
    labels: NDArray[np.int64],
    settings: ClassifierSettings,
    generator: torch.Generator,
    device: torch.device | str,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Model input (batch, D) and classes (batch,), drawn with replacement."""
    for _ in range(settings.steps):
        rows = torch.randint(len(train), (settings.batch,), generator=generator).numpy()
        x = to_model_input(torch.from_numpy(train[rows]).to(device))
        yield x, torch.from_numpy(labels[rows]).to(device)


@torch.inference_mode()
def accuracy(classifier: Classifier, test: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Share of stored examples whose class, int64 (N,), the classifier finds."""
    parts = batches(test, 1000, classifier.head.weight.device)
    predicted = torch.cat([classifier(to_model_input(part)).argmax(dim=1).cpu() for part in parts])
    return float((predicted.numpy() == labels).mean())


def describe_classifier(
    classifier: Classifier, test: NDArray[Any], labels: NDArray[np.int64], settings: ClassifierSettings
) -> dict[str, Any]:
    """Say what a trained classifier is worth: accuracy on the test split, classes, architecture, settings."""
    return {
        "accuracy": accuracy(classifier, test, labels),
        "classes": classifier.head.out_features,
        "architecture": classifier.architecture,
        "settings": asdict(settings),
    }


def save_classifier(classifier: Classifier, path: Path) -> None:
    """Write weights as safetensors, with the example's shape and the number of classes in the header."""
    weights = {name: tensor.cpu().contiguous() for name, tensor in classifier.state_dict().items()}
    spec = json.dumps({"shape": classifier.shape, "classes": classifier.head.out_features})
    save_file(weights, path, metadata={"classifier": spec})


def load_classifier(path: Path, device: torch.device | str = "cpu") -> Classifier:
    """Load what `save_classifier` wrote, in evaluation mode, its weights frozen.

    ValueError if the file holds no classifier.
    """
    with safe_open(path, framework="pt", device=str(device)) as file:
        metadata = file.metadata() or {}
        if "classifier" not in metadata:
            raise ValueError(f"{path}: no 'classifier' in the header; expected a file of save_classifier")
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    spec = json.loads(metadata["classifier"])
    classifier = Classifier(tuple(spec["shape"]), spec["classes"]).to(device)
    classifier.load_state_dict(weights)
    return classifier.eval().requires_grad_(False)
