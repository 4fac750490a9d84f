"""The `crq` command and the verbs of the trainer."""

from crq.cli.group import main as main
