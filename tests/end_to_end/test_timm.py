"""Networks of another package: timm's, with random weights.

timm imports torchvision for its image transforms; its networks need none of it. Where torchvision is missing an inert
stand-in takes its place for the import, so that `pip install --no-deps timm`, as scripts/setup.sh does, is enough.
"""

import enum
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

import pytest
import torch

import crq
from crq.convert.documentation import TIMM
from crq.errors import CrqError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed")


class _Inert(types.ModuleType):
    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "InterpolationMode":
            modes = ("NEAREST", "BILINEAR", "BICUBIC", "BOX", "HAMMING", "LANCZOS")
            return enum.Enum(name, {mode: mode.lower() for mode in modes})
        return type(name, (), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path, target=None):
        if fullname.split(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Inert(spec.name)

    def exec_module(self, module) -> None:
        module.__path__ = []


@pytest.fixture(scope="module")
def timm():
    missing = importlib.util.find_spec("torchvision") is None
    finder = _Finder()
    if missing:
        sys.meta_path.append(finder)
    try:
        import timm
    finally:
        if missing:
            sys.meta_path.remove(finder)
            for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
                del sys.modules[name]
    return timm


@pytest.mark.parametrize("name", ["resnet10t", "resnet18", "mobilenetv1_100", "mobilenetv2_050"])
def test_prepared_network_computes_the_same(timm, name: str) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=10).eval()
    x = torch.rand(2, 3, 64, 64)
    prepared = crq.prepare(model, example_input=x).eval()
    assert torch.allclose(prepared(x), model(x), atol=1e-5)
    plain = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    assert len(crq.coded_layers(prepared)) == len(plain)


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_the_table_of_networks(timm, name: str) -> None:
    torch.manual_seed(0)
    model, size = timm.create_model(name, num_classes=10).eval(), 224 if name == "vgg11_bn" else 64
    x = torch.rand(2, 3, size, size)
    if TIMM[name].startswith("refused"):
        reason = "activation × activation" if "multiplies" in TIMM[name] else "statistic of its own"
        with pytest.raises(CrqError, match=reason):
            crq.prepare(model, example_input=x)
        return
    prepared = crq.prepare(model, example_input=x).eval()
    for images in (x, x[:1]):
        assert torch.equal(prepared(images), model(images))


def test_a_timm_network_freezes(timm) -> None:
    torch.manual_seed(0)
    prepared = crq.prepare(timm.create_model("mobilenetv1_100", num_classes=10))
    batch = torch.randint(0, 256, (8, 3, 64, 64)).float() / 256
    crq.set_mode(prepared, "quantized")
    crq.calibrate_activations(prepared, [batch])
    frozen = crq.freeze(prepared, [batch])
    assert frozen(batch).shape == (8, 10)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("seresnet18", r"operation 'mul' in module 'layer1\.0\.se' is not supported: activation × activation"),
        ("convnext_atto", r"'layer_norm' in module '.*' is not supported: it divides each image by a statistic"),
    ],
)
def test_gates_and_norms_of_each_image_are_refused_by_name(timm, name: str, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        crq.prepare(timm.create_model(name))
