"""Batch norms of quantized phases: what held-out samples and test samples are shown with, in whole runs."""

import copy

import pytest
import torch

from crq.train import recipe
from crq.train.checkpoints import restore
from crq.train.setup import Setup
from tests.support.recipes import run, values

# Rates at which codes change until the last step, and as few batches per epoch as leave statistics behind.
WILD = {
    "ternary": {"method": "ste"}, "retrain__epochs": 0, "finetune": {"epochs": 2, "lr": 0.2, "schedule": "constant"},
}  # fmt: skip


def _averages(network: torch.nn.Module, batches: list) -> None:
    """Every batch norm's mean and variance over all images at once, the average of its batches', kept by hand."""
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    means: list[list[torch.Tensor]] = [[] for _ in norms]

    def keep(index: int):
        def hook(norm, args) -> None:
            means[index].append(args[0].mean(dim=(0, 2, 3)))

        return hook

    handles = [norm.register_forward_pre_hook(keep(index)) for index, norm in enumerate(norms)]
    network.eval()
    for norm in norms:
        norm.train()
    with torch.no_grad():
        for images, _ in batches:
            network(images)
    for handle in handles:
        handle.remove()
    sizes = torch.tensor([float(len(images)) for images, _ in batches])
    for norm, found in zip(norms, means, strict=True):
        norm.running_mean.copy_((torch.stack(found) * sizes[:, None]).sum(0) / sizes.sum())


@pytest.mark.parametrize("averaged", ["not", "by the recipe", "by a callback of the user's"])
def test_held_out_figures_and_the_end_of_a_phase_have_fresh_statistics(tmp_path, averaged: str) -> None:
    changes = {**WILD, "finetune": {**WILD["finetune"], **({"average": 0.9} if averaged == "by the recipe" else {})}}
    if averaged.startswith("by a callback"):
        changes["callbacks"] = ["pytorch_lightning.callbacks:EMAWeightAveraging"]
    summary = run(tmp_path / "run", **changes)
    setup = Setup(recipe.parse(values(**changes)))
    network = setup.prepared()
    done = restore(tmp_path / "run" / "checkpoints" / "finetune.pt")
    network.load_state_dict(done["network"])
    again = copy.deepcopy(network)
    _averages(again, list(setup.calibration()))
    for name, value in network.named_buffers():
        if name.endswith("running_mean"):
            torch.testing.assert_close(dict(again.named_buffers())[name], value, rtol=1e-4, atol=1e-5)
    held_out = setup.task.evaluate(network, setup.held_out_batches())["accuracy"]
    assert done["rows"][-1]["validation"] == pytest.approx(held_out, abs=1e-6)
    assert summary["accuracy"]["finetuned"] == pytest.approx(summary["accuracy"]["frozen"], abs=0.01)


def test_without_held_out_samples_the_end_of_a_phase_has_them_too(tmp_path) -> None:
    run(tmp_path / "run", **WILD, data__validation=0.0)
    network = Setup(recipe.parse(values(**WILD, data__validation=0.0))).prepared()
    network.load_state_dict(restore(tmp_path / "run" / "checkpoints" / "finetune.pt")["network"])
    norm = next(module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    assert int(norm.num_batches_tracked) == 256 // 128  # of the images that `calibration` names, not of the training


def test_float_phases_keep_their_running_statistics(tmp_path) -> None:
    run(tmp_path / "run", retrain__epochs=0, finetune__epochs=0)
    setup = Setup(recipe.parse(values(retrain__epochs=0, finetune__epochs=0)))
    network = setup.network
    network.load_state_dict(restore(tmp_path / "run" / "checkpoints" / "pretrain.pt")["network"])
    norm = next(module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    assert int(norm.num_batches_tracked) == 2 * len(setup.batches("pretrain"))
