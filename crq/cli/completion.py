"""The verb `completion`: the shell completes verbs and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete verbs and options.

    \b
    bash:  crq completion bash >> ~/.bashrc
    zsh:   crq completion zsh >> ~/.zshrc
    fish:  crq completion fish > ~/.config/fish/completions/crq.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, "crq", "_CRQ_COMPLETE").source())
