"""The user's own folder of images: what is made of it, and the error for every way in which it is unfit."""

import logging

import numpy as np
import pytest
from PIL import Image
from published_files import jpeg

from maskaae.data.dataset import load_dataset
from maskaae.data.decode import ALPHA, COLOUR_SPACE, DEEP, FRAMES, TURNED, File, Framing, decode
from maskaae.data.registry import SOURCES, resolve

RNG = np.random.default_rng(0)


def save(path, mode="L", size=(6, 6), value=None, **options):
    """Save one image: of one value, or of random pixels."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], channels)[: 3 if channels > 1 else 2]
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8) if value is None else np.full(shape, value, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels, mode=mode).save(path, **options)


@pytest.fixture
def photographs(tmp_path):
    """A folder of 90 grey images of 6x6."""
    folder = tmp_path / "photographs"
    for number in range(90):
        save(folder / f"{number:03d}.png")
    return folder


def prepare(folder, workers=1, **keys):
    out = folder.parent / "out"
    spec = resolve({"name": "own", "source": "images", "path": str(folder), "size": 6, **keys})
    SOURCES["images"].prepare(spec, raw=folder, folder=out, workers=workers)
    return load_dataset(out)


def framed(path, channels, size=6):
    return decode(File(str(path), str(path)), Framing(crop=None, size=size, channels=channels))


def test_grey_images_become_one_channel_and_keep_their_pixels(photographs):
    prepared = prepare(photographs)
    assert prepared.train.shape == (72, 6, 6, 1)
    known = {np.asarray(Image.open(path)).tobytes() for path in photographs.iterdir()}
    assert {image.tobytes() for image in [*prepared.train, *prepared.test]} == known
    assert prepared.info.classes == 0


def test_several_processes_give_the_same_bytes_as_one(photographs, monkeypatch):
    alone = prepare(photographs).info
    monkeypatch.setattr("maskaae.data.decode.IMAGES_PER_TASK", 7)
    monkeypatch.setattr("maskaae.data.decode.PATIENCE", 0)
    assert prepare(photographs, workers=2).info == alone


def test_an_image_of_any_size_is_cut_to_its_centred_square_and_resized(tmp_path):
    pixels = np.zeros((20, 60), np.uint8)
    pixels[:, 20:40] = 200
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    np.testing.assert_array_equal(framed(tmp_path / "wide.png", 1, size=8), np.full((8, 8, 1), 200))


def test_sub_folders_are_classes(tmp_path):
    for name, value in (("cat", 10), ("dog", 200)):
        for number in range(50):
            save(tmp_path / "pets" / name / f"{number}.png", value=value + number % 20)
    prepared = prepare(tmp_path / "pets")
    assert prepared.info.details["label_names"] == ["cat", "dog"]
    np.testing.assert_array_equal(prepared.train_labels, prepared.train[:, 0, 0, 0] > 100)
    np.testing.assert_array_equal(prepared.test_labels, prepared.test[:, 0, 0, 0] > 100)


def test_a_single_sub_folder_is_no_class(photographs):
    assert prepare(photographs.parent).info.classes == 0


def test_images_beside_sub_folders_are_refused(photographs):
    save(photographs / "cat" / "1.png")
    with pytest.raises(ValueError, match=r"000\.png and 89 more images lie beside sub-folders"):
        prepare(photographs)


def test_mixed_channels_are_refused_with_a_file_of_each_kind(photographs):
    save(photographs / "colour.png", mode="RGB")
    match = r"000\.png is grey \(90 are\), .*colour\.png is in colour .*set channels: 1"
    with pytest.raises(ValueError, match=match):
        prepare(photographs)


@pytest.mark.parametrize(
    ("channels", "note"), [(1, "colour: made grey"), (3, "grey: repeated to three channels")]
)
def test_with_channels_given_they_are_converted_and_it_is_said(photographs, channels, note, caplog):
    save(photographs / "colour.png", mode="RGB")
    prepared = prepare(photographs, channels=channels)
    assert prepared.info.shape == (6, 6, channels)
    assert prepared.info.details["converted"][note]["count"] == (1 if channels == 1 else 90)
    assert note in caplog.text


def test_sixteen_bits_become_eight_and_it_is_said(photographs):
    values = np.array([[0, 257, 65535], [128 * 257, 255, 300], [0, 0, 0]], np.uint16)
    Image.fromarray(values).save(photographs / "deep.png")
    np.testing.assert_array_equal(framed(photographs / "deep.png", 1, 3)[..., 0], np.rint(values / 257))
    prepared = prepare(photographs)
    note = prepared.info.details["converted"][DEEP]
    assert note == {"count": 1, "first": str(photographs / "deep.png")}


@pytest.mark.parametrize(("mode", "channels"), [("LA", 1), ("RGBA", 1)])
def test_transparency_is_laid_on_white_and_it_is_said(tmp_path, mode, channels):
    folder = tmp_path / "icons"
    for number in range(90):
        save(folder / f"{number:03d}.png", mode=mode, value=0)  # black, and wholly transparent
    prepared = prepare(folder)
    assert prepared.info.shape == (6, 6, channels)
    assert prepared.train.min() == 255
    assert prepared.info.details["converted"][ALPHA]["count"] == 90
    assert prepared.info.details["duplicates"]["test_rows_in_train"] == 18


def test_other_colour_spaces_frames_and_turned_photographs_are_converted_and_it_is_said(photographs):
    save(photographs / "print.jpg", mode="CMYK")
    frames = [Image.fromarray(np.full((6, 6), value, np.uint8)) for value in (10, 200)]
    frames[0].save(photographs / "film.tif", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    upright = np.arange(36, dtype=np.uint8).reshape(6, 6)
    Image.fromarray(upright).save(photographs / "turned.png", exif=exif)
    prepared = prepare(photographs, channels=1)
    for note in (COLOUR_SPACE, FRAMES, TURNED):
        assert prepared.info.details["converted"][note]["count"] == 1
    np.testing.assert_array_equal(framed(photographs / "turned.png", 1)[..., 0], upright[::-1, ::-1])
    assert framed(photographs / "film.tif", 1).max() == 10


def test_an_unreadable_image_is_named(photographs):
    (photographs / "notes.jpg").write_text("these are not pixels")
    with pytest.raises(ValueError, match=r"notes\.jpg: cannot be used as an image"):
        prepare(photographs)


def test_a_truncated_image_is_named_and_nothing_stays(photographs):
    whole = jpeg(RNG.integers(0, 256, (64, 64), dtype=np.uint8))
    (photographs / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"half\.jpg: cannot be used as an image: .*truncated"):
        prepare(photographs)
    assert list((photographs.parent / "out").iterdir()) == []


def test_an_empty_folder_and_a_missing_one_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: holds no image; their names end in .*\.png"):
        prepare(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        prepare(tmp_path / "nowhere")


def test_files_that_are_no_images_are_left_alone_and_counted(photographs, caplog):
    (photographs / "readme.txt").write_text("holiday")
    (photographs / ".hidden.png").write_text("")
    assert prepare(photographs).info.n_train == 72
    assert "1 files are no images" in caplog.text


def test_fewer_images_than_a_batch_are_refused(photographs):
    with pytest.raises(ValueError, match=r"63 examples to train on, fewer than one batch of 64"):
        prepare(photographs, test_fraction=0.3)


def test_images_in_both_splits_are_reported(photographs, caplog):
    other = photographs.parent / "other"
    save(other / "new.png")
    (other / "old.png").write_bytes((photographs / "007.png").read_bytes())
    with caplog.at_level(logging.WARNING):
        prepared = prepare(photographs, test_path=str(other))
    assert prepared.info.details["duplicates"] == {"test_rows_in_train": 1, "first": 1}
    assert "1 of 2 examples of the test split are in the training split too" in caplog.text
