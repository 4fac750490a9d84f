"""The group behind the `crq` command: its verbs are entry points, loaded when called."""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from crq.cli.next_step import told
from crq.errors import CrqError, nearest
from crq.files import target_of

GROUP = "crq.commands"
ENVIRONMENT, UNEXPECTED = 3, 4
"""Exit codes of what is no verdict and no bad input: a missing tool, a full disk; a fault of crq's own."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOMEM, errno.EROFS)
FIRST = ("run", "train", "export", "check", "build", "simulate", "report", "fold", "synth")


class _Verbs(click.Group):
    """Finds verbs among the installed packages' entry points, and turns the project's errors into messages."""

    def _entries(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = self._entries()
        return [name for name in FIRST if name in names] + sorted(set(names) - set(FIRST))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries().get(cmd_name)
        return entry.load() if entry else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}; `crq --help` lists them")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):  # an ASCII locale gets a question mark for what it cannot show
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        with _reported():
            try:
                result = super().invoke(ctx)
            except click.NoSuchOption as error:
                raise self._explained(ctx, error) from error
            sys.stdout.flush()
            return result

    def _explained(self, ctx: click.Context, error: click.NoSuchOption) -> click.UsageError:
        """`error` with the verb's options of which the given one is a part, or else the verbs that have it."""
        wrong, used = error.option_name, error.ctx
        own = [name for p in used.command.params for name in p.opts] if used else []
        if alike := [name for name in own if len(wrong) > 4 and wrong[2:] in name]:
            return click.UsageError(f"no option {wrong!r} (did you mean {' or '.join(alike)}?)", used)
        verbs = {}
        for name in self.list_commands(ctx):
            with contextlib.suppress(Exception):  # somebody's verb that does not load has no part in this
                verbs[name] = self.get_command(ctx, name)
        if owners := [
            f"`crq {name}`" for name, verb in verbs.items() if verb and any(wrong in p.opts for p in verb.params)
        ]:
            return click.UsageError(f"no option {wrong!r} here; that is one of {', '.join(owners)}", used)
        return error

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _reported():  # --help and --version print while the line is parsed
            return super().make_context(*args, **extra)


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """An exception becomes a line on standard error and an exit code, a warning a line; click's are left to click."""
    before, warnings.formatwarning = warnings.formatwarning, _line
    try:
        yield
    except (click.ClickException, click.exceptions.Exit):
        raise
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        message, code = explained(error)
        if "CRQ_DEBUG" in os.environ:
            traceback.print_exc()
        if isinstance(error, BrokenPipeError):  # what is still to be flushed at the exit would fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"Error: {message}", err=True)
        sys.exit(code)
    finally:
        warnings.formatwarning = before


def _line(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """A warning without the place in crq or click that it comes from, which is no line of the user's."""
    return f"warning: {message}\n"


def explained(error: Exception) -> tuple[str, int]:
    """One line for the user, and the exit code: never 1, which means that two things are not equal."""
    if isinstance(error, CrqError):
        return str(error), error.exit_code
    if isinstance(error, BrokenPipeError):
        return "standard output was closed before everything was printed", ENVIRONMENT
    if isinstance(error, OSError):
        where = f"{target_of(str(error.filename))}: " if error.filename is not None else ""
        reason = error.strerror or str(error)
        return f"{where}{reason}", ENVIRONMENT if error.errno in _NO_ROOM or not where else CrqError.exit_code
    if isinstance(error, MemoryError):
        return "out of memory: use fewer images (--limit), a smaller batch or a machine with more", ENVIRONMENT
    text = " ".join(str(error).split())[:300]
    return (
        f"unexpected {type(error).__name__}: {text}. This is a fault of crq; with CRQ_DEBUG=1 it prints where, which "
        "helps a report",
        UNEXPECTED,
    )


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`crq VERB --help` explains one verb. A first try, with nothing to prepare: crq run digits",
    invoke_without_command=True,
)
@click.version_option(package_name="crq", message="crq %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Train networks to ternary weights and turn them into multiplier-free FPGA projects, bit for bit.

    \b
    A project goes through these steps, each one a verb:
      crq train RECIPE -o runs/a        PyTorch: train, cluster, quantize, fine-tune, freeze
      crq export runs/a -o a.onnx       one QONNX file, two bits per weight
      crq build a.onnx -o a_hls         an hls4ml project
      crq simulate a_hls                its C simulation against PyTorch, every bit
      crq report a_hls                  resources, latency, throughput

    Without a verb it says what to do next in this folder.
    """
    if ctx.invoked_subcommand is None:
        click.echo(told(Path.cwd()))
