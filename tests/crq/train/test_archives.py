"""Benchmarks fetched from a server on this machine: checked, pinned by the first download, unpacked whole."""

import functools
import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crq.errors import CrqError
from crq.train import archives, data

ARFF = b"@RELATION jets\n@ATTRIBUTE mass REAL\n@ATTRIBUTE class {g,q}\n@DATA\n1,g\n2,q\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that is served; every archive's address points there."""
    served = tmp_path / "site"
    served.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    for name, archive in archives.ARCHIVES.items():
        local = archive._replace(url=f"{base}/{archive.url.rpartition('/')[2]}")
        monkeypatch.setitem(archives.ARCHIVES, name, local)
    said = {"url": f"{base}/phpjets.arff", "md5_checksum": hashlib.md5(ARFF).hexdigest()}
    (served / "42468").write_text(json.dumps({"data_set_description": said}))
    (served / "phpjets.arff").write_bytes(ARFF)
    monkeypatch.setenv("CRQ_DATA", str(tmp_path / "data"))
    yield served
    server.shutdown()
    server.server_close()


def tar(names: list[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 1
            opened.addfile(entry, io.BytesIO(b"x"))
    return buffer.getvalue()


def test_openml_says_where_and_which(site: Path) -> None:
    folder = data.fetch("jets")
    assert [path.name for path in folder.iterdir()] == ["hls4ml_jets_42468.arff"]
    (site / "phpjets.arff").unlink()
    assert data.fetch("jets") == folder  # complete
    (folder / "hls4ml_jets_42468.arff").unlink()
    (site / "phpjets.arff").write_bytes(b"something else")
    with pytest.raises(CrqError, match=r"has MD5 \w+, expected \w+: damaged or replaced\. Nothing was kept"):
        data.fetch("jets")
    (site / "42468").write_text("{}")
    with pytest.raises(CrqError, match="is no description of a data set"):
        data.fetch("jets")
    assert list(folder.iterdir()) == []


def test_the_first_download_pins_the_file(site: Path, tmp_path: Path) -> None:
    (site / "vw_coco2014_96.tar.gz").write_bytes(
        tar(["vw_coco2014_96/person/a.jpg", "vw_coco2014_96/non_person/b.jpg"])
    )
    folder = data.fetch("vww", tmp_path / "v")
    pin = folder / "vw_coco2014_96.tar.gz.sha256"
    assert pin.read_text().strip() == hashlib.sha256((site / "vw_coco2014_96.tar.gz").read_bytes()).hexdigest()
    assert sorted(path.name for path in folder.iterdir()) == ["vw_coco2014_96", pin.name]
    (folder / "vw_coco2014_96").rename(tmp_path / "away")
    (site / "vw_coco2014_96.tar.gz").write_bytes(tar(["vw_coco2014_96/person/other.jpg"]))
    with pytest.raises(CrqError, match=rf"at its first download it had {pin.read_text().strip()}.*or remove .*sha256"):
        data.fetch("vww", folder)
    assert [path.name for path in folder.iterdir()] == [pin.name]
    pin.unlink()
    assert (data.fetch("vww", folder) / "vw_coco2014_96" / "person" / "other.jpg").is_file()


def test_zip_archives_and_published_hashes(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(site / "dev_data_ToyCar.zip", "w") as opened:
        opened.writestr("ToyCar/train/normal_id_01_00000000.wav", b"x")
    assert (data.fetch("toycar", tmp_path / "t") / "ToyCar" / "train").is_dir()
    content = tar(["./testing_list.txt", "./yes/a.wav"])
    (site / "speech_commands_v0.02.tar.gz").write_bytes(content)
    with pytest.raises(CrqError, match=r"has MD5 \w+, expected 6b74f3901214cb2c2934e98196829835"):
        data.fetch("speech-commands", tmp_path / "s")
    right = archives.ARCHIVES["speech-commands"]._replace(md5=hashlib.md5(content).hexdigest())
    monkeypatch.setitem(archives.ARCHIVES, "speech-commands", right)
    assert (data.fetch("speech-commands", tmp_path / "s") / "yes" / "a.wav").is_file()


def test_a_damaged_archive_leaves_nothing_unpacked(site: Path, tmp_path: Path) -> None:
    (site / "dev_data_ToyCar.zip").write_bytes(b"no zip file")
    with pytest.raises(CrqError, match=r"dev_data_ToyCar\.zip cannot be unpacked"):
        data.fetch("toycar", tmp_path / "t")
    assert not (tmp_path / "t" / "ToyCar").exists()
    assert not list((tmp_path / "t").glob(".*"))


def test_an_archive_put_there_by_hand_is_used_and_stays(site: Path, tmp_path: Path) -> None:
    """Nothing is fetched: the site has no such file."""
    (tmp_path / "v").mkdir()
    archive = tmp_path / "v" / "vw_coco2014_96.tar.gz"
    archive.write_bytes(content := tar(["vw_coco2014_96/person/a.jpg"]))
    folder = data.fetch("vww", tmp_path / "v")
    assert (folder / "vw_coco2014_96" / "person" / "a.jpg").is_file()
    assert archive.read_bytes() == content
