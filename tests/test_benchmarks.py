"""The benchmarks run, at toy size, and compare what they say they compare."""

import io
import itertools
import json
import math
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_authors_loop_gives_the_losses_of_the_plain_step(benchmarks):
    """The rival must train the same model: with the same weights and numbers, the losses agree."""
    from cases import TOY
    from reference_loop import ReferenceLoop, mlp

    from maskaae.models.base import Draw
    from maskaae.models.build import build_model

    model = build_model(TOY.spec([0]))
    nets = mlp(8, 16, 4), mlp(4, 16, 8), mlp(4, 16, 1)
    for plain, ours in zip(nets, (model.encoder, model.decoder, model.critic), strict=True):
        for linear, layer in zip(plain[::2], ours.layers, strict=True):
            linear.weight.data = layer.weight.data[0].T.clone()
            linear.bias.data = layer.bias.data[0, 0].clone()
    loop = ReferenceLoop(*nets, m=4, images=False, device="cpu")
    loop.mask_parameter.data = model.mask_parameter.data[0].clone()

    x = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    prior = torch.randn(64, 4)
    mix = torch.rand(64, 1)
    sizes = model.draw_sizes
    draw = Draw(
        x.expand(sizes.batches, 1, -1, -1),
        prior.expand(sizes.prior, 1, -1, -1),
        mix.expand(sizes.mix, 1, -1, -1),
    )
    losses = {}
    for update in model.updates_with(
        draw, model.constants(310), model.phase(310)
    ):  # nothing is stepped: all losses are those of the start
        losses.setdefault(update.name, update.loss.item())
    assert loop.autoencoder_loss(x).item() == pytest.approx(losses["autoencoder"], rel=1e-5)
    torch.manual_seed(1)
    assert loop.critic_loss(x).item() == pytest.approx(losses["critic"], rel=1e-4)
    torch.manual_seed(1)
    assert loop.mask_loss(x, 310).item() == pytest.approx(losses["mask"], rel=1e-4)  # the ramp has doubled


def test_operations_of_a_step_by_hand(benchmarks):
    """Two operations a weight, row and matrix product, for networks 8-16-4, 4-16-8 and 4-16-1."""
    from cases import TOY, operations

    encoder = decoder = 8 * 16 + 16 * 4
    critic = 4 * 16 + 16
    autoencoder = 3 * encoder - 8 * 16 + 3 * decoder  # no gradient by the data
    critic_step = (
        encoder + 3 * critic + 16 * 4 + 3 * critic + 4 * 16
    )  # forward, gradient by z_i, kernels, carry
    generator = 3 * encoder - 8 * 16 + 2 * critic
    mask = encoder + 2 * decoder + 2 * 2 * critic
    total = autoencoder + 5 * critic_step + generator + mask
    assert operations(TOY) == pytest.approx(2 * 64 * total)


def test_the_untidy_table_is_as_its_page_says(benchmarks, tmp_path):
    """Sensors that three latent variables curve, a chance column, and all that makes it untidy."""
    from untidy_table import untidy_table

    table = untidy_table(np.random.default_rng(0))
    sensors = table.filter(like="sensor").dropna()
    assert table.shape == (3000, 23) and len(sensors) == 2998
    assert table["ok"].dtype == bool and 0.4 < table["ok"].mean() < 0.6
    strengths = np.linalg.svd((sensors - sensors.mean()) / sensors.std(), compute_uv=False)
    assert strengths[3] < 0.2 * strengths[2]


def parts_of_the_device_script(call, parts, folder):
    """Run parts of benchmarks/device.sh at toy size; unpack what it leaves, as whoever called it would."""
    environment = {
        **os.environ,
        "OUT": str(folder / "out"),
        "PARTS": parts,
        "OMP_NUM_THREADS": "1",
        "PATIENCE": "5",
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "benchmarks/device.sh", call, "--device", "cpu"]
    subprocess.run(command, cwd=ROOT, check=True, env={**environment, "PATH": path})
    packed = b"".join(piece.read_bytes() for piece in sorted((folder / "out").glob("results.tgz.*")))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    status = pd.read_csv(folder / "parts.csv").set_index("part")["status"]
    assert set(status.index) == set(parts.split())
    assert (status == 0).all(), status


def test_first_call_of_the_device_script_walks_through_on_a_cpu(tmp_path):
    parts_of_the_device_script(
        "first", "rates agreement forms sharing_streams mnist training rivals", tmp_path
    )
    assert (pd.read_csv(tmp_path / "gpu_agreement.csv")["largest_relative"] < 1e-4).all()
    assert (pd.read_csv(tmp_path / "gpu_mnist.csv")["minutes_at_paper_length"] > 0).all()
    rivals = pd.read_csv(tmp_path / "gpu_rivals.csv")
    assert len(rivals) == 13 and (rivals["relative"] < 1e-5).all()
    table = pd.read_csv(tmp_path / "gpu_training_toy.csv")
    assert {"reference", "plain", "ours"} <= set(table["contender"])


def test_second_call_of_the_device_script_walks_through_on_a_cpu(tmp_path):
    parts_of_the_device_script("second", "profile convolutions grid sharing_processes", tmp_path)
    of_a_step = pd.read_csv(tmp_path / "gpu_profile.csv")
    assert of_a_step["ms_per_step"].is_monotonic_decreasing
    assert 0.5 < of_a_step["share"].sum() <= 1.0
    assert set(pd.read_csv(tmp_path / "gpu_convolutions.csv")["way"]) == {"grouped", "one by one"}
    assert (pd.read_csv(tmp_path / "sharing_processes.csv")["ms_per_step"] > 0).all()


@pytest.mark.long
def test_call_for_the_real_data_walks_through_on_a_cpu(tmp_path):
    """Digits stand in for both MNISTs; runs that were trained side by side are measured by the pipeline."""
    parts_of_the_device_script("real", "real_data real_paper real_paper_measured", tmp_path)
    for model, m in itertools.product(("wae", "maae"), (32, 64)):
        run = tmp_path / f"real/results/runs/mnist_paper/{model}/m{m}"
        assert len(pd.read_csv(run / "metrics.csv")) == 4  # two seeds, at the start and the end
        assert len(pd.read_csv(run / "samplers.csv")) == 4  # two seeds, two samplers
        assert not list(run.rglob("*.safetensors"))


@pytest.mark.long
def test_call_for_the_claims_walks_through_on_a_cpu(tmp_path):
    """The pipeline takes runs that were trained side by side, one with what tuning chose, as its own."""
    parts_of_the_device_script("claims", "claims_data claims_tuned claims claims_drawn", tmp_path)
    results = tmp_path / "claims/results"
    assert (results / "figures/fig4.png").stat().st_size > 0
    chosen = pd.read_csv(results / "tuning/digits/rae.csv").query("chosen")["override"].item()
    record = json.loads((results / "runs/digits/rae/m4/run.json").read_text())
    weight = record["spec"]["hyperparameters"]["deterministic"]["code_weight"]
    assert weight == json.loads(chosen)["deterministic"]["code_weight"]
    times = pd.read_csv(tmp_path / "gpu_claims.csv")
    assert len(times) == 5
    for row in times.itertuples():  # none was trained again
        record = json.loads((results / f"runs/{row.case}/{row.model}/m{row.m}/run.json").read_text())
        assert record["seconds"] == row.seconds
    assert not list(results.rglob("*.safetensors"))


def test_products_of_a_step_hold_all_of_its_operations(benchmarks):
    from cases import TOY, operations, uncaptured
    from limit import Products, products_alone

    take = uncaptured(TOY, 2, "cpu")
    with Products() as products:
        take(1)
    counted = sum(2 * math.prod(a) * b[-1] for a, _, b, _ in products.found)

    assert counted == 2 * operations(TOY)
    assert 0 < products_alone(take, "cpu") < 1


def test_witnesses_of_a_family_leave_room_for_its_dimension(benchmarks):
    from witnesses import ask

    row = ask("linear", 4, 0.1, 0)
    assert row["smallest_agreed"] <= 4 <= row["largest_agreed"] < 10
    assert (row["TwoNN"], row["local PCA"]) == (pytest.approx(6.7, abs=1.5), pytest.approx(4, abs=0.2))
