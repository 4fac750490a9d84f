"""The verbs of the `crq` command that need more than the trainer."""
