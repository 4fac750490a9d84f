"""Losses against their formulas, written out in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from crq.train.objective import Objective, Teacher
from crq.train.sections import Distillation, Phase
from crq.train.tasks import of

LABELS = torch.tensor([2, 0, 1, 1])


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(4, 5, generator=torch.Generator().manual_seed(7))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - logits.max(1, keepdims=True) - np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1))[:, None]


def float64(values: torch.Tensor) -> np.ndarray:
    return values.detach().double().numpy()


def cross_entropy(logits: np.ndarray, labels: np.ndarray, smoothing: float = 0.0) -> float:
    wanted = np.full(logits.shape, smoothing / logits.shape[1])
    wanted[np.arange(len(labels)), labels] += 1 - smoothing
    return float(-(wanted * log_softmax(logits)).sum(1).mean())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_with_softened_labels(images: torch.Tensor, smoothing: float) -> None:
    student = network(0)
    loss, logits, targets = Objective(Phase(epochs=1, label_smoothing=smoothing), student, of("cross_entropy"))(
        images, LABELS
    )
    assert targets is LABELS
    assert float(loss) == pytest.approx(cross_entropy(float64(logits), LABELS.numpy(), smoothing), rel=1e-5)


def test_mixup_mixes_images_and_losses_alike(images: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    student = network(0)
    student.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    monkeypatch.setattr(torch.distributions.Beta, "sample", lambda self: torch.tensor(0.75))
    monkeypatch.setattr(torch, "randperm", lambda count, device: torch.tensor([1, 2, 3, 0]))
    loss, logits, _ = Objective(Phase(epochs=1, mixup=0.2), student, of("cross_entropy"))(images, LABELS)
    pixels = images.numpy()
    np.testing.assert_allclose(seen[0].numpy(), 0.75 * pixels + 0.25 * np.roll(pixels, -1, 0), rtol=1e-6)
    found = float64(logits)
    labels = LABELS.numpy()
    expected = 0.75 * cross_entropy(found, labels) + 0.25 * cross_entropy(found, np.roll(labels, -1))
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_distillation_is_cross_entropy_and_divergence(images: torch.Tensor) -> None:
    student, teacher = network(0), network(1)
    phase = Phase(epochs=1, distill=Distillation(temperature=3.0, weight=0.25))
    loss, logits, _ = Objective(phase, student, of("cross_entropy"), teacher)(images, LABELS)
    ours, theirs = log_softmax(float64(logits) / 3), log_softmax(float64(teacher.eval()(images)) / 3)
    divergence = (np.exp(theirs) * (theirs - ours)).sum(1).mean()
    expected = 0.75 * cross_entropy(float64(logits), LABELS.numpy()) + 0.25 * 9 * divergence
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(parameter.grad is not None for parameter in student.parameters())


def test_layers_are_distilled_by_their_relative_distance(images: torch.Tensor) -> None:
    student, teacher = network(0).eval(), network(1)
    _, without = Teacher(Distillation(), teacher, student).teach(images)
    _, with_layers = Teacher(Distillation(layers=2.0), teacher, student).teach(images)
    ours, theirs = float64(student[:2](images)), float64(teacher[:2](images))
    expected = 2.0 * ((ours - theirs) ** 2).sum() / (theirs**2).sum()
    assert float(with_layers - without) == pytest.approx(expected, rel=1e-4)
    assert not student[1]._forward_hooks


def test_a_student_equal_to_its_teacher_has_nothing_to_learn_from_it(images: torch.Tensor) -> None:
    student = network(0).eval()
    _, loss = Teacher(Distillation(layers=1.0), network(0), student).teach(images)
    assert float(loss) == pytest.approx(0, abs=1e-6)


def test_other_tasks_have_their_own_loss_and_targets(images: torch.Tensor) -> None:
    student = nn.Linear(5, 5)
    loss, outputs, targets = Objective(Phase(epochs=1), student, of("mse", reconstructs=True))(images, LABELS)
    assert torch.equal(targets, images)
    assert float(loss) == pytest.approx(((float64(outputs) - images.double().numpy()) ** 2).mean(), rel=1e-5)
