"""Ternarize your own module in your own loop: no recipe, no trainer. Takes about a minute."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

import crq
from crq.train import data
from crq.train.loader import BatchLoader

torch.manual_seed(0)
net = nn.Sequential(
    *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10)),
)
train, test = BatchLoader(data.load("digits:train"), 64, shuffle=True), data.load("digits:test")


def fit(model: nn.Module, epochs: int, lr: float, penalty: crq.ClusterPenalty | None = None) -> float:
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    for epoch in range(epochs):
        train.set_epoch(epoch)
        for x, y in train:
            optimizer.zero_grad()
            loss = cross_entropy(model.train()(x), y)
            (loss + penalty() if penalty else loss).backward()
            optimizer.step()
    return float((model.eval()(test.images / 256).argmax(1) == test.labels).float().mean())


print(f"float      {fit(net, 10, 0.05):.1%}")
model = crq.prepare(net, crq.TernaryConfig(act_bits=4, method="crq"))  # your module, weights kept
print(f"clustered  {fit(model, 10, 0.05, crq.ClusterPenalty(model, lam=0.03)):.1%}")  # λ·J pulls W towards α·t
crq.quantize(model, train)  # weights and activations, scales and batch norms
print(f"fine-tuned {fit(model, 10, 0.02):.1%}")
deploy = crq.freeze(model, train)  # integers only: what the hardware computes
print(f"frozen     {float((deploy(test.images).argmax(1) == test.labels).float().mean()):.1%}")
deploy.save("digits_frozen.pt")
