"""Networks of another package: timm's, with random weights."""

import importlib.util

import pytest
import torch

import crq
from crq.convert.documentation import TIMM
from crq.errors import CrqError
from tests.support.timm_alone import import_timm

pytestmark = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed")


@pytest.fixture(scope="module")
def timm():
    return import_timm()


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
