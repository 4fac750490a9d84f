"""The group behind the `crq` command: its verbs are entry points, loaded when called."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Any

import click

from crq.errors import CrqError, nearest

GROUP = "crq.commands"
_FIRST = ("run", "train", "export", "check", "build", "simulate", "report", "fold", "synth")


class _Verbs(click.Group):
    """Finds verbs among the installed packages' entry points, and turns the project's errors into messages."""

    def _entries(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = self._entries()
        return [name for name in _FIRST if name in names] + sorted(set(names) - set(_FIRST))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries().get(cmd_name)
        return entry.load() if entry else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}; `crq --help` lists them")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
            sys.exit(2)
        except CrqError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(error.exit_code)


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`crq VERB --help` explains one verb. A first try, with nothing to prepare: crq run digits",
)
@click.version_option(package_name="crq", message="crq %(version)s")
def main() -> None:
    """Train networks to ternary weights and turn them into multiplier-free FPGA projects, bit for bit.

    \b
    A project goes through these steps, each one a verb:
      crq train RECIPE -o runs/a        PyTorch: train, cluster, quantize, fine-tune, freeze
      crq export runs/a -o a.onnx       one QONNX file, two bits per weight
      crq build a.onnx -o a_hls         an hls4ml project
      crq simulate a_hls                its C simulation against PyTorch, every bit
      crq report a_hls                  resources, latency, throughput
    """
