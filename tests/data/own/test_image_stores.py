"""Images where people have them: archives, splits and classes in folders, what systems leave behind."""

import io
import re
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from maskaae.data.own.load import read_own
from maskaae.data.own.notes import ChoiceError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (90, 6, 6, 3), dtype=np.uint8)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    return file.getvalue()


PLAIN = {f"{number:03d}.png": png(pixels) for number, pixels in enumerate(COLOUR)}
CLASSES = {f"pets/{'cat' if number % 2 else 'dog'}/{name}": PLAIN[name] for number, name in enumerate(PLAIN)}
LITTER = {
    ".ipynb_checkpoints/000.png": b"",
    "__MACOSX/pets/._000.png": b"not an image",
    "._000.png": b"not an image",
    "Thumbs.db": b"",
    "desktop.ini": b"",
    ".DS_Store": b"",
}


def folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def tarred(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


STORES = {
    "folder": folder,
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda path, files: tarred(path, files, "w:gz"),
    "tar.xz": lambda path, files: tarred(path, files, "w:xz"),
}


def read(path, **options):
    got = read_own(path, path.parent / "out", {"size": 6, **options})
    return got, " | ".join([*got.guessed, *got.left_out, *got.warnings])


def pixels(got):
    return {image.tobytes() for image in [*got.dataset.train, *got.dataset.test]}


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_images_are_read_from_every_store_and_litter_is_ignored(tmp_path, store):
    """Nothing but the images is read, and nothing is said of the rest."""
    store(tmp_path / "images", {**LITTER, **PLAIN})
    got, words = read(tmp_path / "images")
    assert got.source == "images"
    assert pixels(got) == {image.tobytes() for image in COLOUR}
    assert got.dataset.info.classes == 0
    assert words == ""


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_folders_below_the_common_one_are_classes(tmp_path, store):
    store(tmp_path / "images", {**LITTER, **CLASSES})
    got, _ = read(tmp_path / "images")
    assert got.dataset.info.details["label_names"] == ["cat", "dog"]
    known = {png(image) for image in COLOUR[1::2]}
    labels = [*got.dataset.train_labels, *got.dataset.test_labels]
    images = [*got.dataset.train, *got.dataset.test]
    assert {png(image) for image, label in zip(images, labels, strict=True) if label == 0} == known


@pytest.mark.parametrize("store", [folder, zipped, tarred])
@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("train", "val"), ("Training", "Validation")])
def test_train_and_test_above_the_classes_are_the_split(tmp_path, store, train, test):
    names = list(CLASSES)
    files = {name.replace("pets", f"pets/{train}"): CLASSES[name] for name in names[:70]}
    files |= {name.replace("pets", f"pets/{test}"): CLASSES[name] for name in names[70:]}
    store(tmp_path / "images", files)
    got, words = read(tmp_path / "images")
    assert {image.tobytes() for image in got.dataset.test} == {image.tobytes() for image in COLOUR[70:]}
    assert got.dataset.info.details["label_names"] == ["cat", "dog"]
    assert f"the folder {train} is the training split, {test} the test split" in words


def test_with_both_test_is_tested_on_and_validation_left_out(tmp_path):
    names = list(PLAIN)
    files = {f"train/{name}": PLAIN[name] for name in names[:70]}
    files |= {f"val/{name}": PLAIN[name] for name in names[70:80]}
    files |= {f"test/{name}": PLAIN[name] for name in names[80:]}
    folder(tmp_path / "images", files)
    got, words = read(tmp_path / "images")
    assert (got.dataset.info.n_train, got.dataset.info.n_test, got.dataset.info.classes) == (70, 10, 0)
    assert "the folder val, 10 images: neither trained nor tested on" in words


def test_a_class_called_train_is_a_class(tmp_path):
    files = {f"{'train' if number % 2 else 'bus'}/{name}": PLAIN[name] for number, name in enumerate(PLAIN)}
    folder(tmp_path / "images", files)
    assert read(tmp_path / "images")[0].dataset.info.details["label_names"] == ["bus", "train"]


def test_classes_of_the_training_split_alone_are_left_out_and_it_is_said(tmp_path):
    names = list(CLASSES)
    files = {name.replace("pets", "train"): CLASSES[name] for name in names[:70]}
    files |= {f"test/{name}": PLAIN[name] for name in list(PLAIN)[70:]}
    folder(tmp_path / "images", files)
    got, words = read(tmp_path / "images")
    assert got.dataset.info.classes == 0
    assert "the classes of one split; the other has none" in words


def test_masks_beside_the_images_are_no_examples(tmp_path):
    folder(tmp_path / "images", {f"images/{name}": PLAIN[name] for name in PLAIN})
    folder(tmp_path / "images", {f"masks/{name}": PLAIN["000.png"] for name in PLAIN})
    got, words = read(tmp_path / "images")
    assert pixels(got) == {image.tobytes() for image in COLOUR}
    assert "90 images in masks: masks, no examples" in words


def grey_as_colour(noise=0):
    grey = np.repeat(COLOUR[..., :1], 3, axis=3).astype(int)
    return np.clip(grey + RNG.integers(-noise, noise + 1, grey.shape), 0, 255).astype(np.uint8)


def test_grey_stored_as_colour_is_one_channel_and_it_is_said(tmp_path):
    folder(tmp_path / "images", {f"{i:03d}.png": png(image) for i, image in enumerate(grey_as_colour())})
    got, words = read(tmp_path / "images")
    assert got.dataset.info.shape == (6, 6, 1)
    assert pixels(got) == {image.tobytes() for image in COLOUR[..., :1]}
    assert "90 grey images stored as colour: one channel" in words


def test_one_image_in_colour_makes_colour_of_all(tmp_path):
    images = grey_as_colour()
    images[-1, 0, 0] = (200, 0, 0)
    folder(tmp_path / "images", {f"{i:03d}.png": png(image) for i, image in enumerate(images)})
    assert read(tmp_path / "images")[0].dataset.info.shape == (6, 6, 3)


def test_mixed_channels_come_with_the_key_that_settles_them(tmp_path):
    folder(tmp_path / "images", {**PLAIN, "grey.png": png(COLOUR[0, ..., 0])})
    with pytest.raises(ChoiceError, match=r"grey\.png is grey \(1 are\)") as refused:
        read(tmp_path / "images")
    assert read(tmp_path / "images", **refused.value.options)[0].dataset.info.shape == (6, 6, 3)


@pytest.mark.parametrize(
    ("scale", "shift", "said"),
    [
        (1 / 255, 0, "0 is taken for black, 1 for white"),
        (1, 0, "255 for white"),
        (20, -1000, "-1000 is taken"),
    ],
)
def test_float_tiffs_are_read_by_the_range_of_all_and_it_is_said(tmp_path, scale, shift, said):
    (tmp_path / "images").mkdir()
    values = COLOUR[..., 0].copy()
    values[0, 0, 0], values[1, 0, 0] = 0, 255
    for number, image in enumerate(values):
        Image.fromarray(image.astype(np.float32) * scale + shift).save(
            tmp_path / "images" / f"{number:03d}.tif"
        )
    got, words = read(tmp_path / "images")
    assert pixels(got) == {image.tobytes() for image in values[..., None]}
    assert said in words


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_tiffs_that_pillow_cannot_read_go_through_tifffile(tmp_path, dtype):
    tifffile = pytest.importorskip("tifffile")
    (tmp_path / "images").mkdir()
    factor = 1 / 255 if dtype == np.float32 else 257
    for number, image in enumerate(COLOUR):
        name = tmp_path / "images" / f"{number:03d}.tif"
        tifffile.imwrite(
            name, (image.astype(float) * factor).astype(dtype), photometric="rgb", planarconfig="separate"
        )
    got, _ = read(tmp_path / "images")
    assert pixels(got) == {image.tobytes() for image in COLOUR}


def test_a_float_pixel_that_is_no_number_is_named(tmp_path):
    folder(tmp_path / "images", PLAIN)
    Image.fromarray(np.full((6, 6), np.nan, np.float32)).save(tmp_path / "images/depth.tif")
    with pytest.raises(
        ValueError, match=r"depth\.tif: cannot be used as an image: some pixels are no finite"
    ):
        read(tmp_path / "images")


def test_images_of_different_sizes_are_made_alike_and_it_is_said(tmp_path):
    folder(tmp_path / "images", {**PLAIN, "wide.png": png(np.zeros((8, 20, 3), np.uint8))})
    got, words = read(tmp_path / "images")
    assert got.dataset.info.shape == (6, 6, 3)
    assert "2 different sizes: the largest centred square of each is resized to 6x6" in words


@pytest.mark.parametrize(
    ("shape", "size", "said"),
    [
        ((6, 6, 3), 6, ""),
        (
            (8, 20, 3),
            6,
            "images of 20 x 8: the largest centred square of each is resized to 6x6; size: 8 keeps",
        ),
        ((90, 70, 3), 32, "images of 70 x 90: .* resized to 32x32; size: 64 keeps more of them"),
    ],
)
def test_images_of_one_other_size_are_resized_and_it_is_said(tmp_path, shape, size, said):
    folder(
        tmp_path / "images",
        {f"{place}.png": png(RNG.integers(0, 256, shape, dtype=np.uint8)) for place in range(90)},
    )
    _, words = read(tmp_path / "images", size=size)
    assert re.search(said, words)
    assert said or "resized" not in words


@pytest.mark.parametrize("store", [zipped, tarred])
def test_a_member_larger_than_an_image_can_be_is_refused(tmp_path, store, monkeypatch):
    store(tmp_path / "images", {**PLAIN, "bomb.png": bytes(10**6)})
    monkeypatch.setattr("maskaae.data.own.stores.largest_member", lambda: 10**5)
    with pytest.raises(
        ValueError, match=r"images: bomb\.png: unpacks to more than .* an image can hold; refused"
    ):
        read(tmp_path / "images")


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path, monkeypatch):
    zipped(tmp_path / "images", {**PLAIN, "bomb.png": bytes(10**6)})
    content = (tmp_path / "images").read_bytes()
    (tmp_path / "images").write_bytes(
        content.replace((10**6).to_bytes(4, "little"), (99).to_bytes(4, "little"))
    )
    with pytest.raises(ValueError, match=r"bomb\.png"):
        read(tmp_path / "images")


@pytest.mark.parametrize("store", [zipped, tarred])
def test_nothing_is_written_where_an_archive_says(tmp_path, store):
    store(tmp_path / "images", {**PLAIN, "../outside.png": PLAIN["000.png"]})
    read(tmp_path / "images")
    assert {path.name for path in tmp_path.iterdir()} == {"images", "out"}


def test_links_in_a_tar_are_no_images(tmp_path):
    tarred(tmp_path / "images", PLAIN)
    with tarfile.open(tmp_path / "images", "a") as archive:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert pixels(read(tmp_path / "images")[0]) == {image.tobytes() for image in COLOUR}


def test_a_broken_image_in_an_archive_is_named(tmp_path):
    zipped(tmp_path / "images", {**PLAIN, "cat/x.png": b"no picture"})
    with pytest.raises(ValueError, match=r"lie beside sub-folders"):
        read(tmp_path / "images")
    zipped(tmp_path / "images", {**PLAIN, "x.png": b"no picture"})
    with pytest.raises(ValueError, match=r"images: x\.png: cannot be used as an image"):
        read(tmp_path / "images")


def test_a_folder_of_tables_is_refused_with_their_names(tmp_path):
    folder(tmp_path / "images", {"train.csv": b"1,2", "notes.txt": b""})
    with pytest.raises(
        ValueError, match=r"holds no image; .*it holds train\.csv: give one of them, unpacked"
    ):
        read(tmp_path / "images")


def test_images_without_an_ending_are_read_by_what_is_in_them(tmp_path):
    folder(tmp_path / "images", {name.removesuffix(".png"): content for name, content in PLAIN.items()})
    got, words = read(tmp_path / "images")
    assert pixels(got) == {image.tobytes() for image in COLOUR}
    assert "90 files without an ending are taken for images" in words


def test_class_folders_may_be_links(tmp_path):
    names = list(PLAIN)
    folder(tmp_path / "elsewhere/a", {name: PLAIN[name] for name in names[:50]})
    folder(tmp_path / "images/b", {name: PLAIN[name] for name in names[50:]})
    (tmp_path / "images/a").symlink_to(tmp_path / "elsewhere/a")
    (tmp_path / "images/b/back").symlink_to(tmp_path / "images")
    got, _ = read(tmp_path / "images")
    assert pixels(got) == {image.tobytes() for image in COLOUR}
    assert got.dataset.info.details["label_names"] == ["a", "b"]


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    folder(tmp_path / "images", PLAIN)
    (tmp_path / "images/zz.png").symlink_to(tmp_path / "not fetched.png")
    with pytest.raises(ValueError, match=r"zz\.png: cannot be used as an image: .*No such file"):
        read(tmp_path / "images")


def test_a_tar_that_ends_within_a_member_is_refused(tmp_path):
    tarred(tmp_path / "images.tar", {**PLAIN, "last.png": bytes(9000)})
    whole = (tmp_path / "images.tar").read_bytes()
    (tmp_path / "images.tar").write_bytes(whole[: whole.index(b"last.png") + 2000])
    with pytest.raises(ValueError, match=r"images\.tar: .*(ends within a member|unexpected end)"):
        read(tmp_path / "images.tar")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html>", r"x\.png: cannot be used as an image: it begins with b'<!DOCTYPE html>'"),
        (b"", r"x\.png: cannot be used as an image: it is empty"),
    ],
)
def test_what_is_no_image_is_named_with_its_beginning(tmp_path, content, message):
    folder(tmp_path / "images", {**PLAIN, "x.png": content})
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "images")


def test_a_tiff_of_five_bands_is_no_colour(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    folder(tmp_path / "images", PLAIN)
    bands = RNG.integers(0, 256, (5, 8, 8), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "images/x.tif", bands, photometric="minisblack", planarconfig="separate")
    with pytest.raises(ValueError, match=r"x\.tif: .*its shape is \(5, 8, 8\); expected grey or three"):
        read(tmp_path / "images")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 2000), np.uint8), "of an image of 2000 x 4 the centred square holds 0.2%"),
        (np.full((6, 6), 4095, np.uint16), "16 of 256 levels are left in 8 bits"),
    ],
)
def test_images_of_which_little_is_learned_are_warned_of(tmp_path, image, said):
    folder(tmp_path / "images", {f"{place}.png": png(image) for place in range(90)})
    assert said in read(tmp_path / "images")[1]


def test_photographs_of_another_kind_are_named(tmp_path):
    folder(tmp_path / "images", {"1.HEIC": b"x", "2.HEIC": b"x"})
    with pytest.raises(ValueError, match=r"holds no image; .*it holds 2 other files, such as 1\.HEIC"):
        read(tmp_path / "images")
