"""The callback in a loop that is not ours."""

import copy

import pytest
import pytorch_lightning as pl
import torch

import crq
from crq import models
from crq.quant.penalties import layer_statistics
from crq.train import data
from crq.train.lightning import CRQCallback
from crq.train.loader import BatchLoader


class UserModule(pl.LightningModule):
    """A user's own LightningModule around a prepared network."""

    def __init__(self, network, optimizer) -> None:
        super().__init__()
        self.network, self.make = network, optimizer

    def training_step(self, batch, index):
        return torch.nn.functional.cross_entropy(self.network(batch[0]), batch[1])

    def configure_optimizers(self):
        return self.make(self.network.parameters())


@pytest.mark.parametrize(
    "optimizer", [lambda p: torch.optim.SGD(p, lr=0.05), lambda p: torch.optim.AdamW(p, lr=0.002)], ids=["sgd", "adamw"]
)
def test_callback_in_a_users_own_lightning_loop(tmp_path, optimizer) -> None:
    torch.manual_seed(0)
    prepared = crq.prepare(models.build("digits-cnn", width=4), crq.TernaryConfig(method="crq"))

    def costs(lam: float) -> list[float]:
        module = UserModule(copy.deepcopy(prepared), optimizer)
        fitter = pl.Trainer(
            max_epochs=2,
            callbacks=[CRQCallback(lam)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
            default_root_dir=tmp_path,
        )
        fitter.fit(module, BatchLoader(data.load("digits:train"), 64, shuffle=True))
        return [row["cost"] for row in layer_statistics(module).values()]

    strong = 1.0 if isinstance(optimizer([torch.zeros(1)]), torch.optim.SGD) else 100.0
    assert all(a < 0.5 * b for a, b in zip(costs(strong), costs(0.0), strict=True))
