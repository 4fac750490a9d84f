"""What to change where a recipe's network is for other data than its own."""

from __future__ import annotations

from crq import importing, models
from crq.convert.fits import Misfit
from crq.errors import CrqError
from crq.train.sections import Network


def misfit(error: Misfit, network: Network | None, data: str, shape: tuple[int, ...]) -> CrqError:
    """`error` in words of the recipe. network: its section, None for one that the caller gave."""
    sides = (shape[0], shape[-1])
    asked = change(network, error.takes, error.given if error.given in sides else None)
    return CrqError(
        f"layer {error.layer} takes {error.takes:,} {error.unit}, but a sample of {data}, of shape {tuple(shape)}, "
        f"gives it {error.given:,}: {asked}"
    )


def change(network: Network | None, value: int, to: int | None) -> str:
    """Where to change a number of the network from `value` to `to`: its file, or the option that has that value."""
    if network is None:
        return "change the network, or its data"
    if importing.is_function(network.name):
        where = f"change {network.name.partition(':')[0].replace('.', '/')}.py"
    else:
        where = f"choose another network than {network.name}, or other data"
    known = {**models.arguments(network.name), **network.options}
    named = [name for name, own in known.items() if type(own) is int and own == value]
    if to is None or len(named) != 1:
        return where
    return f"{where}, or give options = {{ {named[0]} = {to} }} in [network]"
