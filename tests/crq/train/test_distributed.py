"""Two gloo processes train one network and agree on every weight, scale and code."""

import os
import socket
import subprocess
import sys

import torch

from crq.train import recipe
from tests.support.recipes import values

WORKER = """
import sys, torch
from crq.train import fit, recipe, trainer
torch.set_num_threads(1)
plan, out, rank, kept = recipe.load(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
original = trainer._Run._train
def recording(self, name, network, stage):
    original(self, name, network, stage)
    layers = {n: m.clusters() for n, m in network.named_modules() if hasattr(m, "clusters")}
    state = {"weights": network.state_dict(), "codes": {n: c.codes for n, c in layers.items()},
             "alpha": {n: c.alpha for n, c in layers.items()}}
    torch.save(state, f"{kept}/{name}-{rank}.pt")
trainer._Run._train = recording
fitted = fit.fit
def before_sync(setup, folder, name, network, console):
    rows = fitted(setup, folder, name, network, console)
    torch.save({k: v for k, v in network.named_parameters()}, f"{kept}/{name}-trained-{rank}.pt")
    return rows
fit.fit = before_sync
trainer.train_recipe(plan, out)
"""


def test_two_processes_agree_on_the_solver_state(tmp_path) -> None:
    plan = recipe.parse(values(retrain__warm=True))
    plan.save(tmp_path / "r.toml")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {
        **os.environ,
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    processes = []
    for rank in ("0", "1"):
        environment = {**shared, "RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "test"}
        command = [sys.executable, "-c", WORKER, str(tmp_path / "r.toml"), str(tmp_path / "run"), rank, str(tmp_path)]
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    for phase in ("pretrain", "retrain", "finetune"):
        trained = [torch.load(tmp_path / f"{phase}-trained-{rank}.pt", weights_only=True) for rank in (0, 1)]
        assert all(torch.equal(value, trained[1][name]) for name, value in trained[0].items())
        a, b = (torch.load(tmp_path / f"{phase}-{rank}.pt", weights_only=True) for rank in (0, 1))
        for part in ("weights", "codes", "alpha"):
            assert set(a[part]) == set(b[part])
            assert all(torch.equal(value, b[part][name]) for name, value in a[part].items())
    assert len(a["codes"]) == 3
    assert (tmp_path / "run" / "frozen.pt").exists()
