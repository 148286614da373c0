"""The user's own data: what they are, which capacities suit them, and what is said about them in the end."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from maskaae.config import ConfigError, check_config
from maskaae.data.own.recognise import choose_capacities, complete, recognise
from maskaae.estimator import MaskAAE
from maskaae.report.figures import marginals, reconstructions
from maskaae.report.summary import BestModel, answer, best_model, count_dimensions, data_notes, summarise

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = yaml.safe_load((ROOT / "config/own_data.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
VALUES = np.random.default_rng(0).normal(size=(100, 6))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.csv", "table"),
        ("a.TSV", "table"),
        ("a.txt.gz", "table"),
        ("a.parquet", "table"),
        ("a.npy", "array"),
        ("a.npz", "array"),
        ("train-images-idx3-ubyte.gz", "array"),
        ("a.idx", "array"),
    ],
)
def test_file_is_recognised_by_its_name(tmp_path, name, source):
    (tmp_path / name).touch()
    assert recognise(tmp_path / name) == source


def test_folder_holds_images(tmp_path):
    assert recognise(tmp_path) == "images"


def test_unrecognised_file_is_refused_with_what_would_be_right(tmp_path):
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(
        ValueError, match=r"a\.xlsx: not recognised; give a folder of images, a table \(\.csv"
    ):
        recognise(tmp_path / "a.xlsx")
    with pytest.raises(FileNotFoundError, match=r"none\.csv: no such file or folder"):
        recognise(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("dimension", "capacities"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (30, [8, 15, 30]), (32, [8, 16, 32]), (784, [8, 16, 32])],
)
def test_capacities_are_a_quarter_half_and_all_of_at_most_32_dimensions(dimension, capacities):
    assert choose_capacities(dimension) == capacities


def write_csv(folder):
    pd.DataFrame(VALUES, columns=list("abcdef")).to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def write_gzipped_text(folder):
    with gzip.open(folder / "own.txt.gz", "wt") as file:
        np.savetxt(file, VALUES)
    return folder / "own.txt.gz"


def write_parquet(folder):
    pd.DataFrame(VALUES, columns=list("abcdef")).to_parquet(folder / "own.parquet")
    return folder / "own.parquet"


def write_array(folder):
    np.save(folder / "own.npy", VALUES)
    return folder / "own.npy"


@pytest.mark.parametrize("write", [write_csv, write_gzipped_text, write_parquet, write_array])
def test_template_with_a_path_is_a_valid_experiment(tmp_path, write):
    """Whatever the data are, nobody needs to edit the template, and m stays at or below D = 6."""
    path = write(tmp_path)
    experiment = check_config({**TEMPLATE, "data": str(path)}, SCHEMA)
    assert experiment.datasets["own"].source_spec["path"] == str(path)
    assert experiment.datasets["own"].capacities == {"wae": (2, 3, 6), "maae": (2, 3, 6)}


def test_label_column_is_no_dimension(tmp_path):
    entry = {**TEMPLATE["datasets"][0], "path": str(write_csv(tmp_path)), "label_column": "f"}
    completed = complete({**TEMPLATE, "datasets": [entry]})
    assert completed["datasets"][0]["capacities"]["maae"] == choose_capacities(5)


def test_listed_capacities_above_the_dimension_are_still_refused(tmp_path):
    entry = {**TEMPLATE["datasets"][0], "capacities": {"maae": [7]}}
    config = {"datasets": [entry], "data": str(write_array(tmp_path))}
    with pytest.raises(ConfigError, match="m = 7 is above D = 6"):
        check_config(config, SCHEMA)


def test_missing_path_says_how_to_give_one():
    with pytest.raises(ConfigError, match="make own DATA=path"):
        check_config(TEMPLATE, SCHEMA)


def test_anything_but_auto_or_lists_of_capacities_is_refused():
    entry = {**TEMPLATE["datasets"][0], "capacities": "automatic"}
    with pytest.raises(ConfigError, match=r"'automatic' does not match .*`auto`, for your own data"):
        check_config({"datasets": [entry]}, SCHEMA)


def test_configuration_without_own_data_stays_as_it_is():
    config = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    assert complete(config) == config


def metrics(*rows):
    """Last checkpoints (m, seed, active, FID) of MAAE, after an earlier one whose numbers must not count."""
    early = [("own", "maae", m, seed, 1, 1, 0.0) for m, seed, _, _ in rows]
    end = [("own", "maae", m, seed, 2, active, fid) for m, seed, active, fid in rows]
    wae = [("own", "wae", m, seed, 2, m, 0.5) for m, seed, _, _ in rows]
    columns = ["dataset", "model", "m", "seed", "step", "active", "fd_raw_10k"]
    return pd.DataFrame([*early, *end, *wae], columns=columns)


def test_best_model_is_the_maae_of_lowest_fid_at_the_last_checkpoint():
    frame = metrics((8, 0, 5, 3.0), (8, 1, 4, 2.0), (16, 0, 0, 1.0), (16, 1, 6, np.nan))
    assert best_model(frame, "fd_raw_10k") == BestModel("maae", m=8, seed=1, active=4, fid=2.0)


def summary_of(frame):
    info = {"n_train": 80, "n_test": 20, "kind": "vectors", "shape": [2], "source": "table"}
    info["details"] = {"path": "my.csv"}
    return summarise(frame, "fd_raw_10k", info, Path("results/runs/own/wae/m8"), ["fig4.png"])


def test_the_summary_says_how_firm_the_count_is():
    """Medians over the runs that masked something: 5 of 8 and 6 of 16, not the 8 of 8."""
    frame = metrics((8, 0, 5, 3.0), (16, 0, 6, 3.0), (8, 1, 8, 3.0))
    assert "How firm" not in summary_of(frame)
    frame = frame.assign(active_low=frame["active"] - 1, active_high=frame["active"] + 2)
    words = "4 times less, the same searches would have chosen 4.5 dimensions, 4 times more 7.5"
    assert words in summary_of(frame)


def test_a_better_wae_is_not_kept_from_the_user():
    assert "A WAE has a lower Fréchet distance: m = 8, seed 0 (0.5)" in summary_of(metrics((8, 0, 5, 3.0)))
    assert "A WAE has a lower" not in summary_of(metrics((8, 0, 5, 0.4)))


def test_where_every_mask_collapsed_the_summary_says_so_and_what_to_do_and_offers_the_wae():
    frame = metrics((8, 0, 0, 1.0), (16, 0, 0, 2.0))
    assert best_model(frame, "fd_raw_10k") == BestModel("wae", m=8, seed=0, active=8, fid=0.5)
    text = summary_of(frame)
    assert "**No answer**: in all 2 runs the mask closed every dimension" in text
    assert "reconstruction_weight" in text
    assert "the WAE with the lowest" in text and "because no MAAE has a dimension left" in text
    assert 'MaskAAE.load("results/runs/own/wae/m8", seed=0)' in text


def test_without_a_wae_either_there_is_no_model_to_use():
    frame = metrics((8, 0, 0, 1.0)).query("model == 'maae'")
    assert best_model(frame, "fd_raw_10k").collapsed
    assert "None: every mask closed all dimensions" in summary_of(frame)


def test_count_is_the_median_of_runs_that_had_dimensions_to_spare():
    count = count_dimensions(
        metrics((4, 0, 4, 1.0), (8, 0, 5, 1.0), (8, 1, 6, 1.0), (16, 0, 6, 1.0), (16, 1, 0, 1.0))
    )
    assert (count.counts, count.saturated, count.collapsed) == ((5, 6, 6), 1, 1)
    text = answer(count, 784)
    assert "About 6 dimensions" in text and "5 to 6" in text
    assert "disagree" not in text
    assert "bounds the number from below: 1" in text and "collapsed to zero, which say nothing: 1" in text


def test_scattered_counts_are_said_to_disagree():
    assert "disagree" in answer(count_dimensions(metrics((16, 0, 5, 1.0), (16, 1, 11, 1.0))), 784)


def test_capacities_too_small_give_a_lower_bound_only():
    count = count_dimensions(metrics((4, 0, 4, 1.0), (8, 0, 8, 1.0)))
    text = answer(count, 784)
    assert "At least 8 dimensions" in text
    assert "larger capacities" in text
    assert "No answer yet" in answer(count, 8), "a mask that keeps all D dimensions has found nothing"


def test_notes_name_constant_columns_duplicates_and_conversions():
    details = {
        "scaling": {"method": "standardise", "columns": ["age", "site"], "constant": [1]},
        "duplicates": {"test_rows_in_train": 3, "first": 0},
        "converted": {"16 bits to 8": {"count": 4, "first": "a.png"}},
    }
    notes = " ".join(
        data_notes({"n_train": 80, "n_test": 20, "kind": "vectors", "shape": [2], "details": details})
    )
    assert "not scaled: site" in notes
    assert "3 test examples" in notes
    assert "16 bits to 8, 4 images" in notes


def test_marginals_show_the_first_columns_that_vary():
    real = np.column_stack([VALUES[:, 0], np.ones(100), VALUES[:, 1]])
    examples = {"real": real, "reconstructed": real, "generated": real + 1}
    frame = marginals.data(examples, ["a", "constant", "b"])
    assert list(frame.columns) == ["kind", "a", "b"]
    assert len(marginals.draw(frame).axes) == 4


def test_reconstructions_stand_beside_their_images():
    images = np.random.default_rng(0).integers(0, 256, (10, 4, 5, 3)).astype(np.uint8)
    frame = reconstructions.data({"real": images, "reconstructed": images[:9], "generated": images})
    assert frame.groupby("kind").size().tolist() == [9, 9, 9]
    assert (
        frame.loc[frame["kind"] == "real", "pixels"].tolist()
        == frame.loc[frame["kind"] == "reconstructed", "pixels"].tolist()
    )
    assert [ax.get_title() for ax in reconstructions.draw(frame).axes] == [
        "real",
        "reconstructed",
        "generated",
    ]


def test_images_sorted_by_class_are_shown_from_every_class():
    """Image i is of brightness i: 640 of them stand for a split sorted by class."""
    images = np.repeat(np.arange(640) * 255 // 639, 4).reshape(640, 2, 2, 1).astype(np.uint8)
    frame = reconstructions.data({"real": images, "reconstructed": images, "generated": images})
    shown = frame.loc[frame["kind"] == "real", "index"].tolist()
    assert shown == list(range(0, 640, 10))


def snakemake(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow/Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_missing_data_are_refused_while_parsing(tmp_path):
    result = snakemake(
        tmp_path, "own", "--configfile", str(ROOT / "config/own_data.yaml"), "--config", "data=none.csv"
    )
    assert result.returncode != 0
    assert "none.csv: no such file or folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_table_from_file_to_summary_and_model(tmp_path):
    """The whole command, for one short run; samples of the model it names have the units of the file."""
    (tmp_path / "my data").mkdir()
    table = pd.DataFrame(1000 + 5 * VALUES, columns=list("abcdef")).assign(constant=3.0)
    table.to_csv(tmp_path / "my data/own.csv", index=False)
    config = {
        "seeds": [0, 1],
        "preset": "robust",
        "training": {"steps": 20, "batch_size": 32, "log_every": 10, "checkpoint_every": 20},
        "evaluation": {"samples": 100},
        "datasets": [{"name": "own", "source": "auto", "capacities": {"maae": [3]}}],
        "figures": {"fig7": False},
    }
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(config))
    result = snakemake(tmp_path, "own", "--configfile", "short.yaml", "--config", "data=my data/own.csv")
    assert result.returncode == 0, result.stderr[-3000:]
    summary = (tmp_path / "results/own/summary.md").read_text()
    assert "results/runs/own/maae/m3/model.safetensors" in summary
    assert "not scaled: constant" in summary
    assert (tmp_path / "results/own/examples.png").stat().st_size > 0
    model = MaskAAE.load(tmp_path / "results/runs/own/maae/m3", seed=1)
    assert np.abs(model.sample(50)[:, :6].mean() - 1000) < 20
