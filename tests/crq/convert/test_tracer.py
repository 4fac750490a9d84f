"""Shapes as plain numbers while a network is traced, for every batch size."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import crq
from crq.errors import CrqError
from tests.support.bodies import Net, calls

IMAGES = torch.rand(2, 3, 8, 8)


def ranks(net, x):
    if x.dim() == 4 and x.ndim == 4 and len(x.shape) == 4 and x.is_floating_point():
        x = net.conv1(x)
    return net.fc(net.average(x).reshape(x.shape[0], -1))


def areas(net, x):
    batch, channels, height, width = (x := net.conv1(x)).shape
    return net.fc(F.avg_pool2d(x, (height, width)).view(batch, channels))


def same_padding(net, x):
    height, width = x.size()[-2:]
    rows, columns = (max((math.ceil(n / 2) - 1) * 2 + 3 - n, 0) for n in (height, width))
    x = F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
    x = F.conv2d(x, net.conv1.weight, net.conv1.bias, stride=2)
    return net.fc(x.mean((2, 3)))


def loops(net, x):
    x = net.conv1(x)
    for _ in range(x.size(2) // 4):
        x = net.relu(x) + x
    return net.fc(x.mean((-2, -1)))


def batches(net, x):
    n = x.size(0)
    if n > 0:
        x = net.conv1(x)
    return net.fc(net.average(x).view(n * 1, 8))


def rows_of_a_batch(net, x):
    return net.fc(torch.cat(list(torch.split(net.conv1(x), 4, 1)), 1).mean((2, 3)))


BODIES = {f.__name__: f for f in (ranks, areas, same_padding, loops, batches, rows_of_a_batch)}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("training", [False, True])
def test_code_over_shapes_computes_the_same_at_every_batch_size(body: str, training: bool) -> None:
    model = Net(BODIES[body]).train(training)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    prepared = crq.prepare(model, example_input=IMAGES).eval()
    for count in (1, 2, 5, 16):
        x = torch.rand(count, 3, 8, 8)
        assert torch.allclose(prepared(x), model.eval()(x), atol=1e-5)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def test_tracing_leaves_statistics_and_modes_alone() -> None:
    model = Net(lambda net, x: net.fc(net.bn1(net.conv1(x)).mean((2, 3)))).train()
    model.bn1.eval()
    prepared = crq.prepare(model, example_input=torch.randn(4, 3, 8, 8))
    assert not prepared.bn1.training
    assert prepared.conv1.training
    assert torch.equal(prepared.bn1.running_mean, torch.zeros(8))
    assert prepared.bn1.num_batches_tracked == 0


REFUSED = {
    "values": (lambda n, x: n.fc((n.conv1(x) if x.sum() > 0 else n.conv2(x)).mean((2, 3))), "the values of a tensor"),
    "batch": (lambda n, x: n.fc((n.conv1(x) if len(x) > 2 else n.conv1(-x)).mean((2, 3))), "the batch size"),
    "loop over images": (lambda n, x: torch.stack([n.fc(n.conv1(y[None]).mean((2, 3))) for y in x]), "the batch size"),
    "number of images": (lambda n, x: n.fc(n.conv1(x).mean((2, 3)) / int(x.size(0))), "the batch size"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_shapes_do_not_decide_is_refused(case: str) -> None:
    body, message = REFUSED[case]
    with pytest.raises(CrqError, match="cannot be traced for images of shape") as error:
        crq.prepare(Net(body), example_input=IMAGES)
    assert message in str(error.value)


def test_what_torch_refuses_for_its_size_is_no_fault_of_the_code(capfd: pytest.CaptureFixture[str]) -> None:
    body = Net(lambda net, x: net.fc(net.conv1(x).mean((2, 3)).view(x.size(0), 7)))
    with pytest.raises(CrqError, match=r"fails for images of shape \(3, 8, 8\): .*Change the network") as error:
        crq.prepare(body, example_input=IMAGES)
    assert "fixed sequence" not in str(error.value)
    assert not capfd.readouterr().err


def test_without_an_example_the_error_asks_for_one() -> None:
    with pytest.raises(CrqError, match="over shapes, give crq.prepare an example_input"):
        crq.prepare(Net(ranks))


def test_a_network_traced_for_one_size_is_not_frozen_for_another() -> None:
    prepared = crq.prepare(Net(same_padding), example_input=IMAGES)
    crq.set_mode(prepared, "quantized")
    with pytest.raises(CrqError, match=r"was traced for \(3, 8, 8\), not \(3, 9, 8\)"):
        crq.freeze(prepared, [torch.zeros(4, 3, 9, 8, dtype=torch.uint8)])
    assert crq.prepare(Net(ranks), example_input=IMAGES).meta.get("image_shape") == (3, 8, 8)
    free = crq.prepare(Net(lambda n, x: n.fc(n.conv1(x).mean((2, 3)).view(x.size(0), -1))), example_input=IMAGES)
    assert "image_shape" not in free.meta


@pytest.mark.parametrize(
    "size",
    [
        lambda x: x[:, 0].flatten(1).size(1),
        lambda x: x[:, 0].flatten(1).shape[1],
        lambda x: x.permute(0, 2, 3, 1).size(1) * 8,
        lambda x: len(x[0, 0]) * 8,
    ],
    ids=["flattened", "its shape", "permuted", "length"],
)
def test_sizes_of_the_image_count_wherever_they_are_asked_for(size) -> None:
    def small_or_large(net, x):
        x = net.conv1(x)
        return net.fc((x if size(x) <= 64 else x[:, :, ::2, ::2]).mean((2, 3)))

    assert crq.prepare(Net(small_or_large), example_input=IMAGES).meta.get("image_shape") == (3, 8, 8)


def test_a_layer_of_another_package_keeps_its_name() -> None:
    class Same(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            if x.shape[-1] % 2 == 0:
                x = F.pad(x, [0, 1, 0, 1])
            return F.conv2d(x, self.weight, self.bias, self.stride)

    Same.__module__ = "elsewhere"
    net = Net(lambda net, x: net.fc(net.stem(x).mean((2, 3))))
    net.stem = Same(3, 8, 3, stride=2)
    prepared = crq.prepare(net, crq.TernaryConfig(integer={"stem": 8}), IMAGES)
    assert calls(prepared) == "u8 ZeroPad2d IntegerConv2d s4 AdaptiveAvgPool2d s8 Flatten TernaryLinear"
    assert torch.equal(prepared.stem.weight, net.stem.weight)
    assert "stem.weight" in dict(prepared.named_parameters())
