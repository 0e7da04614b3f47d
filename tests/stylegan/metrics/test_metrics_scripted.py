"""TorchScript files as extractors and distances; where the known ones come from, and what is refused."""

import hashlib
import http.server
import io
import threading
import urllib.error
import warnings

import pytest
import torch
from torch import nn

from stylegan.errors import InputError
from stylegan.metrics import scripted
from stylegan.metrics.measurement import Measurement
from stylegan.metrics.scripted import KNOWN, Known, ScriptedDistance, ScriptedFeatures, find
from stylegan.metrics.tools import open_distance, open_extractor


class Stand(nn.Module):
    """Takes what NVIDIA's networks take."""

    def forward(self, x, return_features: bool = False, resize_images: bool = True, return_lpips: bool = False):
        pooled = nn.functional.adaptive_avg_pool2d(x.float(), 2).flatten(1)
        return pooled if return_features or return_lpips else pooled[:, :3]


class Flat(nn.Module):
    def forward(self, x):
        return x.float().mean()


@pytest.fixture
def saved(tmp_path):
    def save(net, name="net.pt"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.script(net).save(str(tmp_path / name))
        return tmp_path / name

    return save


@pytest.fixture
def known(saved, monkeypatch):
    """The stand-in, taken for Inception and for VGG16."""
    path = saved(Stand())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for key in KNOWN:
        stand = Known(KNOWN[key].name, f"{key}.pt", sha256, 12, KNOWN[key].options)
        monkeypatch.setitem(KNOWN, key, stand)
    return path


def test_any_file_of_ones_own(saved):
    pictures = torch.randint(0, 256, (20, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    extractor = open_extractor(str(saved(Stand(), "mine.pt")))
    assert (extractor.name, extractor.width) == ("TorchScript mine", 3)
    expected = nn.functional.adaptive_avg_pool2d(pictures.permute(0, 3, 1, 2).float(), 2).flatten(1)
    assert torch.allclose(extractor.features(pictures), expected[:, :3])


def test_what_gives_no_vectors(saved, tmp_path):
    with pytest.raises(InputError, match="one vector for each picture"):
        open_extractor(str(saved(Flat())))
    (tmp_path / "text.pt").write_text("no")
    with pytest.raises(InputError, match="not a TorchScript file"):
        open_extractor(str(tmp_path / "text.pt"))
    with pytest.raises(InputError, match="lite0, inception"):
        open_extractor("resnet")


def test_known_files_are_called_with_their_options(known):
    extractor = open_extractor(f"inception:{known}")
    assert (extractor.name, extractor.width) == ("Inception-v3", 12)
    assert Measurement("frechet", 1.0, extractor=extractor.name).title == "FID"
    assert Measurement("frechet", 1.0, extractor="EfficientNet-Lite0").title == "Fréchet distance"


def test_lpips_is_the_squared_distance(known):
    distance = open_distance(f"vgg16:{known}")
    a, b = torch.rand(2, 3, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 255
    pool = lambda x: nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)  # noqa: E731
    assert torch.allclose(distance.distance(a, b), (pool(a) - pool(b)).square().sum(1), rtol=1e-4)
    assert isinstance(distance, ScriptedDistance)


def test_another_file_is_refused(saved):
    with pytest.raises(InputError, match="SHA-256 differs"):
        find("inception", saved(Stand()))
    with pytest.raises(InputError, match="no file"):
        find("inception", "nowhere.pt")


def test_fetched_once(known, tmp_path, monkeypatch):
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        return io.BytesIO(known.read_bytes())

    monkeypatch.setattr(scripted.urllib.request, "urlopen", urlopen)
    path = find("inception", cache=tmp_path / "cache")
    assert path.read_bytes() == known.read_bytes()
    assert find("inception", cache=tmp_path / "cache") == path
    assert len(asked) == 1


def test_a_wrong_download_does_not_stay(known, tmp_path, monkeypatch):
    monkeypatch.setattr(scripted.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(b"a login page"))
    with pytest.raises(InputError, match="SHA-256"):
        find("inception", cache=tmp_path / "cache")
    assert not list((tmp_path / "cache" / "extractors").iterdir())


@pytest.fixture
def server(known, monkeypatch):
    """An HTTP server in this process that stands for where the files come from; `server[NAME] = bytes`."""
    files = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path.lstrip("/"))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(files.get("length", len(content or b""))))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        monkeypatch.setattr(scripted, "_CDN", f"http://127.0.0.1:{running.server_port}/")
        yield files
        running.shutdown()
        thread.join()


def test_the_first_use_fetches_from_a_server(server, known, tmp_path):
    server["inception.pt"] = known.read_bytes()
    extractor = open_extractor("inception", cache=tmp_path)
    assert (extractor.name, extractor.width) == ("Inception-v3", 12)
    server.clear()
    assert open_extractor("inception", cache=tmp_path).digest == extractor.digest
    assert [path.name for path in (tmp_path / "extractors").iterdir()] == ["inception.pt"]


def test_a_server_that_has_no_such_file_or_breaks_off(server, known, tmp_path):
    with pytest.raises(InputError, match=r"cannot be fetched \(Not Found\)\. Put it there by hand"):
        find("vgg16", cache=tmp_path)
    server["vgg16.pt"], server["length"] = known.read_bytes()[:1000], 5000
    with pytest.raises(InputError, match=r"half of it|IncompleteRead"):
        find("vgg16", cache=tmp_path)
    assert not list((tmp_path / "extractors").iterdir())


def test_without_a_network(tmp_path, monkeypatch):
    def urlopen(url, timeout):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(scripted.urllib.request, "urlopen", urlopen)
    with pytest.raises(InputError, match=r"Put it there by hand \(https://.*inception-2015-12-05.pt\)"):
        find("inception", cache=tmp_path)


def test_the_digest_tells_options_apart(known):
    with_options = ScriptedFeatures(known, "a", {"return_features": True})
    assert with_options.digest != ScriptedFeatures(known, "a", {}).digest
