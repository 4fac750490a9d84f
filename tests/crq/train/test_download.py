"""Fetching public data sets, from a server on this machine: whole or absent, checked, and a way out when offline."""

import dataclasses
import functools
import gzip
import hashlib
import http.server
import io
import tarfile
import threading

import numpy as np
import pytest
from click.testing import CliRunner

from crq.cli.train import train
from crq.errors import CrqError
from crq.train import data, download, sections, trainer
from crq.train.splits import load_split

PIXELS = np.arange(2 * 8 * 8, dtype=np.uint8).reshape(2, 8, 8)


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes() + array.tobytes())


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The public data sets in miniature; the folder that is served."""
    served = tmp_path / "site"
    served.mkdir()
    labels = np.array([1, 0], np.uint8)
    for prefix in ("train", "t10k"):
        (served / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(PIXELS))
        (served / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    with tarfile.open(served / "cifar-10-binary.tar.gz", "w:gz") as tar:
        for number, name in enumerate((*download.SOURCES["cifar10"].members, "readme.html")):
            content = bytes([number]) + bytes(3072)
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, source in download.SOURCES.items():
        files = tuple((file, hashlib.md5((served / file).read_bytes()).hexdigest()) for file, _ in source.files)
        local = dataclasses.replace(source, base=f"http://127.0.0.1:{server.server_port}/", files=files)
        monkeypatch.setitem(download.SOURCES, name, local)
    monkeypatch.setenv("CRQ_DATA", str(tmp_path / "data"))
    yield served
    server.shutdown()
    server.server_close()


def test_idx_files_are_fetched_once(site) -> None:
    folder = data.fetch("mnist")
    assert sorted(path.name for path in folder.iterdir()) == sorted(name for name, _ in download.SOURCES["mnist"].files)
    assert np.array_equal(data.load("mnist:train").images[:, 0].numpy(), PIXELS)
    for file in site.iterdir():
        file.unlink()
    assert data.fetch("mnist") == folder  # nothing is missing, so nothing is asked for


def test_only_missing_files_are_fetched_and_unpacked_ones_count(site, tmp_path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    own = gzip.decompress(idx(PIXELS[:1]))
    (folder / "t10k-images-idx3-ubyte").write_bytes(own)
    data.fetch("fashion-mnist", folder)
    assert (folder / "t10k-images-idx3-ubyte").read_bytes() == own
    assert len(list(folder.iterdir())) == 4


def test_cifar_archive_is_unpacked(site, tmp_path) -> None:
    folder = data.fetch("cifar10", tmp_path / "c")
    assert sorted(path.name for path in folder.iterdir()) == sorted(download.SOURCES["cifar10"].members)
    assert data.load("cifar10:train", folder).labels.tolist() == [0, 1, 2, 3, 4]
    assert data.load("cifar10:test", folder).labels.tolist() == [5]


def test_a_damaged_file_is_refused_and_not_kept(site, tmp_path) -> None:
    (site / "train-images-idx3-ubyte.gz").write_bytes(b"something else")
    with pytest.raises(CrqError, match=r"http://127.*/train-images-idx3-ubyte\.gz has MD5 \w+, expected \w+.*by hand"):
        data.fetch("mnist", tmp_path / "m")
    assert list((tmp_path / "m").iterdir()) == []


def test_offline_names_the_address_and_the_folder(site, tmp_path, monkeypatch) -> None:
    nobody = dataclasses.replace(download.SOURCES["mnist"], base="http://127.0.0.1:9/")
    monkeypatch.setitem(download.SOURCES, "mnist", nobody)
    with pytest.raises(CrqError, match=rf"http://127\.0\.0\.1:9/train-images.* cannot be downloaded: .*{tmp_path}/m"):
        data.fetch("mnist", tmp_path / "m")
    (site / "cifar-10-binary.tar.gz").unlink()
    with pytest.raises(CrqError, match="cannot be downloaded: HTTP Error 404"):
        data.fetch("cifar10", tmp_path / "c")
    with pytest.raises(CrqError, match="'digits' cannot be downloaded; only mnist"):
        data.fetch("digits")
    with pytest.raises(CrqError, match=r"not found .*--download"):
        data.load("mnist:train")


def test_a_recipe_or_the_command_line_asks_for_it(site, tmp_path, monkeypatch) -> None:
    wish = sections.Data(name="mnist", root=str(tmp_path / "a"), download=True)
    assert len(load_split(wish, "test")) == 2
    monkeypatch.setattr(trainer, "train_recipe", lambda *args, **options: {})
    arguments = ["mnist-lenet", "-o", str(tmp_path / "run"), "--data-root", str(tmp_path / "b")]
    assert CliRunner().invoke(train, arguments).exit_code == 0
    assert not (tmp_path / "b").exists()
    result = CliRunner().invoke(train, [*arguments, "--download"])
    assert result.exit_code == 0, result.output
    assert len(data.load("mnist:test", tmp_path / "b")) == 2
