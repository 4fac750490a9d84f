"""Losses and the figures beside them, against scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from torch.nn import functional as F

from crq.errors import CrqError
from crq.train import tasks

RNG = np.random.default_rng(5)


def smooth(outputs, targets):
    return F.cross_entropy(outputs, targets, label_smoothing=0.1)


def huber(outputs, targets):
    return F.huber_loss(outputs, targets)


huber.kind = "numbers"


def odd(outputs, targets):
    return outputs


odd.kind = "odd"


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.as_tensor(a) for a in arrays]


def test_classes() -> None:
    y, t = RNG.normal(size=(50, 4)), RNG.integers(0, 4, 50)
    found = tasks.of("cross_entropy").score(*tensors(y, t, t))
    assert found == {"accuracy": pytest.approx(metrics.accuracy_score(t, y.argmax(1)))}


def test_numbers() -> None:
    t = RNG.normal(size=(50, 3))
    y = t + 0.3 * RNG.normal(size=(50, 3))
    found = tasks.of("mse").score(*tensors(y, t, t))
    assert found["mse"] == pytest.approx(metrics.mean_squared_error(t, y))
    assert found["r2"] == pytest.approx(metrics.r2_score(t, y, multioutput="variance_weighted"))
    found = tasks.of("l1").score(*tensors(y, t, t))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(t, y))
    assert tasks.of("mse").score(*tensors(y[:1], t[:1], t[:1])).keys() == {"mse"}


def test_bits() -> None:
    y, t = RNG.normal(size=(50, 3)), RNG.integers(0, 2, (50, 3)).astype(np.float32)
    found = tasks.of("bce").score(*tensors(y, t, t))
    assert found["label_accuracy"] == pytest.approx(((y > 0) == (t > 0.5)).mean())
    assert found["f1"] == pytest.approx(metrics.f1_score(t, y > 0, average="micro"))
    assert "f1" not in tasks.of("bce").score(*tensors(-np.ones((2, 3)), *[np.zeros((2, 3))] * 2))


def test_an_autoencoder_finds_what_it_cannot_give_again() -> None:
    x = RNG.normal(size=(40, 2, 5))
    labels = RNG.integers(0, 2, 40)
    y = x.reshape(40, 10) + RNG.normal(size=(40, 10)) * (0.5 + labels[:, None])
    task = tasks.of("mse", reconstructs=True)
    inputs, outputs, classes = tensors(x, y, labels)
    found = task.score(outputs, task.targets(inputs, classes), classes)
    errors = ((y - x.reshape(40, 10)) ** 2).mean(1)
    assert found["mse"] == pytest.approx(errors.mean())
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(labels, errors))
    assert "auc" not in task.score(outputs, task.targets(inputs, classes), classes * 0)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2).filter(lambda r: len({b for _, b in r}) == 2))
def test_the_area_under_the_curve_with_ties(rows: list) -> None:
    scores, positive = np.array([s for s, _ in rows]), np.array([b for _, b in rows])
    assert tasks.auc(*tensors(scores, positive)) == pytest.approx(metrics.roc_auc_score(positive, scores))


def near(outputs, targets):
    return (outputs - targets).abs().amax(1) < 0.5


def far(outputs, targets):
    return (outputs - targets).abs().amax(1)


far.rises = False


def mean(outputs, targets):
    return far(outputs, targets).mean()


def test_the_label_is_among_the_five_best() -> None:
    y, t = RNG.normal(size=(200, 12)), RNG.integers(0, 12, 200)
    found = tasks.of("cross_entropy", metric="top5_accuracy").score(*tensors(y, t, t))
    assert list(found) == ["top5_accuracy", "accuracy"]
    labels = list(range(12))
    assert found["top5_accuracy"] == pytest.approx(metrics.top_k_accuracy_score(t, y, k=5, labels=labels))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(t, y.argmax(1)))
    few = tasks.of("cross_entropy", metric="top5_accuracy").score(*tensors(y[:, :3], t % 3, t % 3))
    assert few["top5_accuracy"] == 1.0


def test_metrics_of_the_users() -> None:
    y, t = RNG.normal(size=(50, 2)), RNG.normal(size=(50, 2))
    apart = np.abs(y - t).max(1)
    close, distant = (tasks.of("mse", metric=f"{__name__}:{name}") for name in ("near", "far"))
    beside = {"r2": tasks.of("mse").score(*tensors(y, t, t))["r2"]}
    assert close.score(*tensors(y, t, t)) == {f"{__name__}:near": pytest.approx((apart < 0.5).mean()), **beside}
    assert distant.score(*tensors(y, t, t)) == {f"{__name__}:far": pytest.approx(apart.mean()), **beside}
    assert (close.metric.rises, distant.metric.rises) == (True, False)
    with pytest.raises(CrqError, match=r"mean gives \(\) for 50 samples: expected a tensor \(50,\)"):
        tasks.of("mse", metric=f"{__name__}:mean").score(*tensors(y, t, t))


@pytest.mark.parametrize(
    ("loss", "metric", "message"),
    [
        (
            "cross_entropy",
            "top_accuracy",
            r"metric 'top_accuracy' \(did you mean 'top5_accuracy'\?\): expected accuracy, top5_accuracy or",
        ),
        ("mse", "accuracy", "metric 'accuracy': expected mse, mae or module:function"),
        ("mse", "nowhere:f", "there is no module 'nowhere'"),
    ],
)
def test_what_is_no_metric_is_named(loss: str, metric: str, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        tasks.of(loss, metric=metric)


def test_evaluation_is_in_eval_mode_and_leaves_the_mode() -> None:
    network = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Identity()).train()
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    batches = [(logits, torch.tensor([0, 1, 0])), (logits[:1], torch.tensor([0]))]
    assert tasks.of("cross_entropy").evaluate(network, batches) == {"accuracy": 0.75}
    assert network.training


def test_losses_of_the_users() -> None:
    found = tasks.of(f"{__name__}:smooth")
    assert (found.kind, found.metric.name) == ("classes", "accuracy")
    outputs, labels = torch.rand(4, 3), torch.tensor([0, 1, 2, 0])
    assert torch.equal(found.loss(outputs, labels), smooth(outputs, labels))
    assert tasks.of(f"{__name__}:huber").metric.name == "mse"
    assert tasks.of(f"{__name__}:smooth", reconstructs=True).metric.name == "mse"


def test_errors_of_the_users_functions_name_them() -> None:
    outputs, targets = torch.rand(4, 3), torch.zeros(4, 3)
    with pytest.raises(CrqError, match=rf"loss {__name__}:broken raised AttributeError for outputs \(4, 3\)"):
        tasks.of(f"{__name__}:broken").loss(outputs, targets)
    judged = tasks.of("mse", metric=f"{__name__}:relative")
    with pytest.raises(CrqError, match=rf"metric {__name__}:relative is inf on 4 samples: let it give finite numbers"):
        judged.score(outputs, targets, targets)


def broken(outputs, targets):
    return outputs.foo


def relative(outputs, targets):
    return ((outputs - targets) / targets).abs().mean(1)


@pytest.mark.parametrize(
    ("loss", "reconstructs", "message"),
    [
        ("mze", False, r"loss 'mze' \(did you mean 'mse'\?\): expected cross_entropy, mse, l1, bce or module:function"),
        ("bce", True, "an autoencoder compares numbers; use mse or l1"),
        (f"{__name__}:odd", False, "its attribute kind is 'odd'; expected one of bits, numbers, classes"),
        ("nowhere:f", False, "there is no module 'nowhere'"),
    ],
)
def test_what_is_no_loss_is_named(loss: str, reconstructs: bool, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        tasks.of(loss, reconstructs)
