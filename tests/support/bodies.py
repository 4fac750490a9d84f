"""Networks with a forward given by the test, and what `prepare` made of them."""

import torch
from torch import nn

from crq.convert.trace import trace
from crq.quant.quantizers import ActQuant


class Net(nn.Module):
    """A module whose forward is a function given by the test, with a few layers to use."""

    def __init__(self, forward) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.drop, self.average, self.flatten = nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(8, 5)
        self.body = forward

    def forward(self, x):
        return self.body(self, x)


def assert_traced(body, words: str, x: torch.Tensor) -> None:
    """`body` behind a convolution, traced with shapes, is `words` and computes the same bits."""
    net = Net(lambda net, x: body(net.conv1(x))).eval()
    with torch.no_grad():
        expected = net(x)
        traced = trace(net, x)
        assert calls(traced) == f"Conv2d {words}".strip()
        assert torch.equal(traced(x), expected)


def calls(prepared) -> str:
    """The graph as one word per node: class of the module or name of the function."""
    words = []
    for node in prepared.graph.nodes:
        if node.op == "call_module":
            module = prepared.get_submodule(node.target)
            if isinstance(module, ActQuant):
                words.append(f"{'s' if module.signed else 'u'}{module.bits}")
            else:
                words.append(type(module).__name__)
        elif node.op == "call_function":
            words.append(node.target.__name__)
    return " ".join(words)
