"""Inception metrics against torch-fidelity's own numbers, from the same file of weights.

The true weights cannot be had without network. A net with random weights, saved in the same format, walks the
same path: reading, quantisation, three channels, resizing, features, statistics, distances.
"""

import hashlib

import numpy as np
import pytest
import torch

from maskaae.evaluation.evaluate import evaluate_run
from maskaae.evaluation.examples import Sampling, sampling_noise, stretch, to_stored_form
from maskaae.evaluation.features import extract, load_extractor, reference_statistics
from maskaae.evaluation.generation import kid_subsets, neighbourhood_measures, spread_evenly
from maskaae.evaluation.inception import WEIGHTS_SHA256, InceptionFeatures, check_weights
from maskaae.models.base import LatentModel

SHAPE = (12, 12, 1)
KEYS = {
    "fid": "frechet_inception_distance",
    "kid": "kernel_inception_distance_mean",
    "precision": "precision",
    "recall": "recall",
}
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # torch-fidelity's own


class ImageModel:
    """One seed of a linear decoder with a sigmoid and an open mask."""

    m, noise_size, seeds, lost = 6, 6, (3,), {}

    def __init__(self, device="cpu"):
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(1, self.m, 144, generator=generator).to(device)
        self.mu = torch.ones(1, self.m, device=device)

    @property
    def active(self):
        return self.mu >= 0.1

    def inference_mask(self, mask):
        return self.mu

    def encode(self, x):
        return x @ self.weight.transpose(1, 2)

    def decode(self, codes):
        return torch.sigmoid(codes @ self.weight)

    decode_through_mask = LatentModel.decode_through_mask
    generate, reconstruct = LatentModel.generate, LatentModel.reconstruct


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Inception of random weights (He normal), and the file's checksum."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Untrained(FeatureExtractorInceptionV3):
        def load_state_dict(self, state_dict):
            """Keep the weights that the layers were built with."""

    folder = tmp_path_factory.mktemp("weights")
    torch.save({}, folder / "empty.pth")
    net = Untrained("inception", ["2048"], feature_extractor_weights_path=str(folder / "empty.pth"))
    generator = torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(tensor, generator=generator)
    torch.save(net.state_dict(), folder / "random.pth")
    return folder / "random.pth", hashlib.sha256((folder / "random.pth").read_bytes()).hexdigest()


def real_images(count):
    """Grey images of blurred noise, whose contrast differs from one to the next."""
    rng = np.random.default_rng(1)
    coarse = rng.random((count, 3, 3)) * rng.uniform(0.2, 1, (count, 1, 1))
    return (np.kron(coarse, np.ones((4, 4))) * 255).astype(np.uint8)[..., None]


def torch_fidelity_metrics(x, real, weights, layer, device):
    """All four numbers by torch-fidelity's public entry point, of generated data (N, D) and real images."""
    import torch_fidelity

    def three_channels(images):
        return [
            torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1).repeat(3, 0))) for image in images
        ]

    class Images(torch.utils.data.Dataset):
        def __init__(self, images):
            self.images = three_channels(images)

        def __len__(self):
            return len(self.images)

        def __getitem__(self, index):
            return self.images[index]

    return torch_fidelity.calculate_metrics(
        input1=Images(to_stored_form(x, SHAPE).cpu().numpy()),
        input2=Images(real),
        cuda=device == "cuda",
        batch_size=32,
        fid=True,
        kid=True,
        prc=True,
        feature_extractor="inception-v3-compat",
        feature_extractor_weights_path=str(weights[0]),
        feature_layer_fid=layer,
        feature_layer_kid=layer,
        feature_layer_prc=layer,
        kid_subset_size=min(len(x), len(real)),
        kid_subsets=kid_subsets(len(x), min(len(x), len(real))),
        rng_seed=0,
        cache=False,
        verbose=False,
    )


def evaluate(model, real, weights, layer, device):
    """The one row of metrics of a model, with as many samples as there are real images."""
    extractor = InceptionFeatures(weights[0], device, sha256=weights[1], layer=layer)
    references = {"inception": reference_statistics(real, extractor, batch=32)}
    sampling = Sampling(len(real), 32, seed=0)
    metrics = evaluate_run(
        [(0, model)], real, references, [extractor], sampling, neighbourhoods=["inception"]
    )
    return metrics.iloc[0]


def generated(model, count):
    """The samples that evaluation draws, before quantisation."""
    noise = sampling_noise(model, Sampling(count, 32, seed=0))
    return torch.cat([model.generate(part)[0] for part in noise])


KID_ON_A_GPU = 5e-3
"""Relative: features differ in their last bits there, and KID is a small difference of large numbers."""


def assert_equal_columns(row, columns, expected, device="cpu"):
    for column, key in columns.items():
        tolerance = KID_ON_A_GPU if device == "cuda" and column.startswith("kid") else 1e-6
        assert row[column] == pytest.approx(expected[key], rel=tolerance), column


def test_first_block_metrics_equal_torch_fidelitys(weights):
    real, model = real_images(24), ImageModel()
    row = evaluate(model, real, weights, "64", "cpu")
    expected = torch_fidelity_metrics(generated(model, 24), real, weights, "64", "cpu")
    assert_equal_columns(row, {f"{name}_inception_24": key for name, key in KEYS.items()}, expected)


@pytest.mark.parametrize(
    ("device", "count"), [("cpu", 24), pytest.param("cuda", 2500, marks=pytest.mark.gpu)]
)
@pytest.mark.long
def test_pool3_metrics_plain_and_stretched_equal_torch_fidelitys(weights, device, count, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # ours never uses it
    real, model = real_images(count), ImageModel(device)
    row = evaluate(model, real, weights, "2048", device)
    x = generated(model, count)
    plain = torch_fidelity_metrics(x, real, weights, "2048", device)
    assert_equal_columns(row, {f"{name}_inception_{count}": key for name, key in KEYS.items()}, plain, device)
    stretched = torch_fidelity_metrics(stretch(x), real, weights, "2048", device)
    assert_equal_columns(row, {f"fid_inception_{count}_minmax": KEYS["fid"]}, stretched, device)
    assert plain[KEYS["fid"]] != pytest.approx(stretched[KEYS["fid"]], rel=1e-3)


def test_kid_precision_and_recall_of_equal_disjoint_and_diverged_samples():
    real, other = torch.randn(2, 300, 4, generator=torch.Generator().manual_seed(0))
    equal = neighbourhood_measures(other, real, seed=0)
    assert abs(equal["kid"]) < 0.3  # a shift by one deviation gives 10
    assert equal["precision"] > 0.8 and equal["recall"] > 0.8
    disjoint = neighbourhood_measures(other + 20, real, seed=0)
    assert disjoint["kid"] > 10
    assert (disjoint["precision"], disjoint["recall"]) == (0, 0)
    diverged = neighbourhood_measures(other.index_fill(0, torch.tensor([7]), torch.nan), real, seed=0)
    assert all(np.isnan(value) for value in diverged.values())


def test_one_mode_of_two_has_precision_without_recall():
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 200, 3, generator=generator) + torch.tensor([0.0, 30])[:, None, None]
    generated = torch.randn(200, 3, generator=generator)
    measured = neighbourhood_measures(generated, torch.cat([first, second]), seed=0)
    assert measured["precision"] > 0.8
    assert 0.35 < measured["recall"] <= 0.5


def test_kid_draws_every_vector_five_times_in_at_most_a_hundred_subsets():
    assert [kid_subsets(count, min(count, 1000)) for count in (24, 1000, 1500, 5000, 50_000)] == [
        5,
        5,
        8,
        25,
        100,
    ]


def test_precision_and_recall_are_against_as_many_real_examples_spread_over_the_split():
    assert spread_evenly(torch.arange(10), 4).tolist() == [0, 2, 5, 7]
    assert spread_evenly(torch.arange(3), 4).tolist() == [0, 1, 2]
    generator = torch.Generator().manual_seed(0)
    generated = torch.randn(100, 3, generator=generator)
    near, far = torch.randn(200, 3, generator=generator), torch.full((200, 3), 50.0)
    # Every other real example lies far from all generated ones, so half of any share of them does.
    mixed = torch.stack([near, far], dim=1).flatten(0, 1)[torch.randperm(400, generator=generator)]
    assert 0.3 < neighbourhood_measures(generated, mixed, seed=0)["recall"] < 0.7


def test_grey_and_repeated_colour_images_have_equal_features(weights):
    extractor = InceptionFeatures(weights[0], sha256=weights[1], layer="64")
    grey = real_images(4)
    (of_grey,) = extract(grey, extractor, batch=4)
    (of_colour,) = extract(grey.repeat(3, axis=3), extractor, batch=4)
    assert torch.equal(of_grey, of_colour)
    assert of_grey.shape == (4, 64)


def test_vectors_are_refused(weights):
    extractor = InceptionFeatures(weights[0], sha256=weights[1], layer="64")
    with pytest.raises(ValueError, match="float32: Inception needs uint8 images"):
        extractor(torch.zeros(2, 8))


def test_only_the_file_of_the_right_checksum_is_opened(weights, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"weights-inception-2015-12-05-6726825d\.pth"):
        load_extractor("inception", tmp_path / "none.pth")
    with pytest.raises(ValueError, match=f"expected {WEIGHTS_SHA256}"):
        load_extractor("inception", weights[0])
    check_weights(*weights)


def test_stretching_spans_the_unit_range_and_leaves_constant_images_alone():
    x = torch.tensor([[0.25, 0.5, 0.35], [0.7, 0.7, 0.7]])
    torch.testing.assert_close(stretch(x), torch.tensor([[0, 1, 0.4], [0.7, 0.7, 0.7]]))


def test_quantisation_rounds_and_clamps():
    x = torch.tensor([[-0.2, 0.0, 0.5001, 0.999, 1.7, 3 / 255]])
    assert to_stored_form(x, (2, 3, 1)).flatten().tolist() == [0, 0, 128, 255, 255, 3]


def test_stored_images_survive_the_way_through_the_model_input():
    from maskaae.evaluation.examples import to_model_input

    images = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1)
    assert torch.equal(to_stored_form(to_model_input(images), (16, 16, 1)), images)
