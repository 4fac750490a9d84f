"""What a phase minimises besides the penalty: the task's loss, softened labels, mixed samples, a teacher's answers."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from crq.train.compiled import compiled
from crq.train.sections import Distillation, Phase
from crq.train.tasks import Task


class Objective:
    """The loss of a batch under `phase`. teacher: the network to learn from, where the phase distils.

    fused: compute both networks by torch.compile.

    Mixup (Zhang et al. 2018, Eq. 1 and 2): x = μ·x_i + (1 − μ)·x_j with μ from Beta(α, α), one per batch, and the
    loss mixed likewise. Mixed samples lie between the codes of the input, which its quantizer rounds.
    """

    def __init__(
        self, phase: Phase, network: nn.Module, task: Task, teacher: nn.Module | None = None, fused: bool = False
    ) -> None:
        self.phase, self.task = phase, task
        self.network = compiled(network) if fused else network
        smoothed = partial(F.cross_entropy, label_smoothing=phase.label_smoothing)
        self.loss = smoothed if phase.label_smoothing else task.loss
        self.teacher = None
        if phase.distill is not None and teacher is not None:
            self.teacher = Teacher(phase.distill, teacher, network, fused)

    def __call__(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(loss, outputs [N, …], what they are compared with) of float32 inputs [N, …] and their labels [N, …]."""
        others, share = None, 1.0
        if self.phase.mixup:
            share = float(torch.distributions.Beta(self.phase.mixup, self.phase.mixup).sample())
            others = torch.randperm(len(inputs), device=inputs.device)
            inputs = share * inputs + (1 - share) * inputs[others]
        outputs, taught = self.teacher.teach(inputs) if self.teacher else (self.network(inputs).float(), None)
        outputs, targets = self.task.given(outputs), self.task.targets(inputs, labels)
        loss = self.loss(outputs, targets)
        if others is not None:
            loss = share * loss + (1 - share) * self.loss(outputs, targets[others])
        if taught is not None and self.phase.distill is not None:
            loss = (1 - self.phase.distill.weight) * loss + taught
        return loss, outputs, targets


class Teacher:
    """Distillation (Hinton et al. 2015): w·T²·KL(teacher ‖ student) of logits divided by T.

    With `layers` also the mean over the batch norms that both have of |s − t|²/|t|², their outputs, times `layers`.
    """

    def __init__(self, choice: Distillation, teacher: nn.Module, student: nn.Module, fused: bool = False) -> None:
        self.choice, self.student = choice, student
        self.teacher = teacher.eval().requires_grad_(False)
        self.run, self.runs_teacher = (compiled(n) if fused else n for n in (student, teacher))
        names = dict(student.named_modules())
        shared = [name for name, module in teacher.named_modules() if isinstance(module, _BatchNorm) and name in names]
        self.layers = shared if choice.layers else []

    def teach(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(the student's logits, the loss that its distance from the teacher is)."""
        ours: dict[str, Tensor] = {}
        theirs: dict[str, Tensor] = {}
        with ExitStack() as hooks:
            for name in self.layers:
                for network, outputs in ((self.student, ours), (self.teacher, theirs)):
                    handle = network.get_submodule(name).register_forward_hook(_keep(outputs, name))
                    hooks.callback(handle.remove)
            logits = self.run(images).float()
            with torch.no_grad():
                self.teacher.to(images.device)
                wanted = self.runs_teacher(images).float()
        temperature = self.choice.temperature
        soft = F.kl_div(
            F.log_softmax(logits / temperature, 1),
            F.log_softmax(wanted / temperature, 1),
            log_target=True,
            reduction="batchmean",
        )
        loss = self.choice.weight * temperature**2 * soft
        if self.layers:
            apart = [((ours[n] - theirs[n]) ** 2).sum() / (theirs[n] ** 2).sum().clamp_min(1e-12) for n in self.layers]
            loss = loss + self.choice.layers * torch.stack(apart).mean()
        return logits, loss


def _keep(outputs: dict[str, Tensor], name: str) -> Any:
    def hook(module: nn.Module, arguments: Any, output: Tensor) -> None:
        outputs[name] = output

    return hook
