"""Training by recipe: data, phases on PyTorch Lightning, checkpoints, plots."""
