"""Figures of quality in words."""

from crq.figures import shown, told


def test_accuracies_are_shares() -> None:
    assert told({"accuracy": 0.9777}) == "97.77%"
    assert told({"label_accuracy": 0.5, "f1": 0.25}) == "label_accuracy 50.00%, f1 0.25"
    assert told({"top5_accuracy": 0.99, "accuracy": 0.75}) == "top5_accuracy 99.00%, accuracy 75.00%"
    assert told({"mse": 0.0123456}) == "mse 0.01235"
    assert shown("accuracy", 1) == "100.00%"
