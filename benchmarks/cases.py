"""What the training benchmarks train: networks of the paper, made by this package and by its rivals."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from reference_loop import ReferenceLoop, mlp
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from maskaae.method.presets import PAPER
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.fast.graph import GraphTrainer, ScheduledSteps
from maskaae.training.stepping import Stepper

EXAMPLES = 10_000
RUN_LENGTH = 1_000_000
"""Steps that learning rates are planned for; a benchmark takes the first few."""


@dataclass(frozen=True)
class Case:
    """Sizes of one benchmark; the batch is the paper's.

    Attributes
    ----------
    name : str
        Name in the results.
    shape : tuple of int
        Shape of an example; images have three numbers.
    m : int
        Capacity.
    hidden, critic_hidden : tuple of int
        Widths of the MLPs.
    channels : tuple of int
        Channels of convolutional networks; empty for MLPs.
    batch : int
        Examples in a batch.
    """

    name: str
    shape: tuple[int, ...]
    m: int
    hidden: tuple[int, ...]
    critic_hidden: tuple[int, ...]
    channels: tuple[int, ...] = ()
    batch: int = 64

    @property
    def images(self) -> bool:
        """Whether examples are images."""
        return len(self.shape) == 3

    def spec(self, seeds: Sequence[int]) -> ModelSpec:
        """Specification of the model with the released constants."""
        return ModelSpec(
            model="maae",
            m=self.m,
            seeds=tuple(seeds),
            kind="images" if self.images else "vectors",
            shape=self.shape,
            hidden=self.hidden,
            critic_hidden=self.critic_hidden,
            hyperparameters=PAPER,
            network="convolutional" if self.channels else "mlp",
            channels=self.channels,
            normalisation="batch" if self.channels else "none",
        )

    def examples(self) -> np.ndarray:
        """Random examples: the time of a step does not depend on what they show."""
        rng = np.random.default_rng(0)
        if self.images:
            return rng.integers(0, 256, size=(EXAMPLES, *self.shape), dtype=np.uint8)
        return rng.standard_normal((EXAMPLES, *self.shape)).astype(np.float32)


SYNTHETIC = Case("synthetic", (128,), 16, (128,) * 3, (128,) * 3)
SMALL = Case("synthetic_small", (128,), 16, (64,) * 2, (64,) * 2)
MNIST = Case("mnist", (28, 28, 1), 48, (1024,) * 4, (1024,) * 4)
CONVOLUTIONAL = Case("convolutional", (32, 32, 3), 128, (), (1024,) * 4, (128, 256, 512, 1024))
CONVOLUTIONAL_SMALL = Case("convolutional_small", (32, 32, 3), 64, (), (256,) * 4, (32, 64, 128))
TOY = Case("toy", (8,), 4, (16,), (16,))

CASES = {case.name: case for case in (SYNTHETIC, SMALL, MNIST, CONVOLUTIONAL, CONVOLUTIONAL_SMALL, TOY)}


def wait_for(device: str) -> None:
    """Return when a GPU has done its work."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


class Contender:
    """Takes some training steps at a call, and returns when the device has done them.

    Parameters
    ----------
    step : callable
        Takes one step, given its number.
    device : str
        Where it trains.
    model : Module
        What it trains.
    stream : torch.cuda.Stream, optional
        Where its steps are queued.
    waits : bool
        Whether to return only when the device is done.
    """

    def __init__(
        self,
        step: Callable[[int], object],
        device: str,
        model: nn.Module | None = None,
        stream: torch.cuda.Stream | None = None,
        waits: bool = True,
    ) -> None:
        self._step, self._device, self._done = step, device, 0
        self._stream, self._waits = stream, waits
        self.model = model

    def __call__(self, steps: int) -> None:
        """Take steps."""
        with nullcontext() if self._stream is None else torch.cuda.stream(self._stream):
            for number in range(self._done, self._done + steps):
                self._step(number)
        self._done += steps
        if self._waits:
            wait_for(self._device)


Take = Callable[[int], None]
"""A contender, or whatever takes a number of steps and waits for them."""


def uncaptured(case: Case, seeds: int, device: str, plain: bool = False) -> Contender:
    """Training by this package, all seeds at once; ``plain`` is its automatically differentiated form."""
    model = build_model(case.spec(range(seeds))).to(device)
    draws = Draws(model, TrainingData(case.examples(), device), case.batch, device)
    stepper = Stepper(model, RUN_LENGTH, None if plain else case.batch)
    return Contender(lambda number: stepper.step(draws.next(), number), device, model)


def ours(case: Case, seeds: int, device: str, plain: bool = False, waits: bool = True) -> Contender:
    """Training by this package as its runs do it: on a GPU, by replaying a graph (of the plain form)."""
    if torch.device(device).type != "cuda":
        return uncaptured(case, seeds, device, plain)
    model = build_model(case.spec(range(seeds))).to(device)
    draws = Draws(model, TrainingData(case.examples(), device), case.batch, device)
    stepper = Stepper(model, RUN_LENGTH, None if plain else case.batch)
    watch = DivergenceWatch(model.seeds)
    steps = ScheduledSteps(stepper, draws, watch, device)
    trainer = GraphTrainer(steps, device)
    return Contender(trainer.step, device, model, trainer.stream, waits)


class Images(nn.Module):
    """A convolutional network on flat images, as the MLPs take them."""

    def __init__(self, shape: tuple[int, ...], layers: nn.Sequential) -> None:
        super().__init__()
        self._height, self._width, self._colours = shape
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """Codes (batch, m) of images (batch, H * W * C)."""
        images = x.view(-1, self._height, self._width, self._colours).permute(0, 3, 1, 2)
        return self.layers(images.contiguous())


def convolutional_pair(case: Case) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder as plain modules, of the sizes of this package's."""
    height, width, colours = case.shape
    channels, count = case.channels, len(case.channels)
    layers: list[nn.Module] = []
    for inputs, outputs in zip((colours, *channels), channels, strict=False):
        convolution = nn.Conv2d(inputs, outputs, 5, stride=2, padding=2, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
    area = (height >> count) * (width >> count)
    encoder = nn.Sequential(*layers, nn.Flatten(), nn.Linear(area * channels[-1], case.m))
    maps = (channels[-1], height >> count - 1, width >> count - 1)
    layers = [nn.Linear(case.m, maps[0] * maps[1] * maps[2]), nn.ReLU(), nn.Unflatten(1, maps)]
    for inputs, outputs in zip(channels[::-1], channels[-2::-1], strict=False):
        doubling = nn.ConvTranspose2d(inputs, outputs, 5, 2, padding=2, output_padding=1, bias=False)
        layers += [doubling, nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.Conv2d(channels[0], colours, 5, padding=2), nn.Flatten()]
    return Images(case.shape, encoder), nn.Sequential(*layers)


def plain_networks(case: Case) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Encoder, decoder and critic of one seed as plain modules."""
    size = int(np.prod(case.shape))
    critic = mlp(case.m, *case.critic_hidden, 1)
    if case.channels:
        return *convolutional_pair(case), critic
    return mlp(size, *case.hidden, case.m), mlp(case.m, *case.hidden[::-1], size), critic


def reference(case: Case, device: str) -> Take:
    """Training by the port of the authors' loop, one seed."""
    torch.manual_seed(0)
    loop = ReferenceLoop(*plain_networks(case), m=case.m, images=case.images, device=device)
    data = torch.from_numpy(case.examples().reshape(EXAMPLES, -1)).float().to(device)
    data = data / 255 if case.images else data

    def batch() -> Tensor:
        return data[torch.randint(EXAMPLES, (case.batch,), device=device)]

    return Contender(lambda number: loop.step(batch, number), device)


def operations(case: Case) -> float:
    """Floating-point operations of the matrix products of one training step of one seed."""
    one = dataclasses.replace(case, batch=2)
    take = uncaptured(one, 1, "cpu")
    with FlopCounterMode(display=False) as counter:
        take(1)
    return counter.get_total_flops() * case.batch / one.batch


def weight_bytes(case: Case) -> float:
    """Bytes that a training step of one seed moves at least, for its weights.

    A pass forward or back reads a network's weights, a gradient writes as many numbers, RMSProp reads three
    (parameter, gradient, mean square) and writes two. The encoder has passes in every update but is encoded
    with once for all critic steps; activations of a batch of 64 are left out, and matter for convolutions.
    """
    model = build_model(case.spec([0]))
    encoder, decoder, critic = (
        sum(p.numel() for p in network.parameters())
        for network in (model.encoder, model.decoder, model.critic)
    )
    gradient, optimiser = 1, 5
    by_encoder = (2 + gradient + optimiser) + 1 + (1 + gradient + optimiser) + 1
    by_decoder = (2 + gradient + optimiser) + 2
    by_critic = 5 * (3 + gradient + optimiser) + 2 + 2
    return 4.0 * (by_encoder * encoder + by_decoder * decoder + by_critic * critic)
