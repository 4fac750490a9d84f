"""What may be chosen for a unit: its legal foldings, narrowed by what the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from crq.errors import nearest_names
from crq.hw.dataflow.beats import LIMIT_BEAT_BITS, MAX_BEAT_BITS, widest
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import FOLDED, FORMS, ROM_STYLES, Fold, Unit, units
from crq.hw.errors import HwError
from crq.hw.ir.digits import MOST_UNROLLED, nonzero_digits
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac


class Wish(NamedTuple):
    """A given folding of one unit; without a `form` the search takes the better one that can have it."""

    pe: int
    simd: int = 1
    form: str | None = None


@dataclass(frozen=True)
class Limits:
    """What bounds a search: foldings and ROM styles given by unit, the bits of the widest beat, and the form whose
    cycles count."""

    given: Mapping[str, Wish] = field(default_factory=dict)
    rom: Mapping[str, str] = field(default_factory=dict)
    max_beat: int = MAX_BEAT_BITS
    timing: Timing = RTL

    def check(self, network: Network) -> None:
        """Raises `HwError` for a unit that does not exist, for a folding or ROM style it cannot have, and for a beat
        beyond what HLS tools take."""
        known = {unit.name: unit for unit in units(network)}
        for name, wish in self.given.items():
            _known(name, known, "folding")
            _check_wish(known[name], wish)
        for name, style in self.rom.items():
            _known(name, known, "weight ROM")
            if not isinstance(known[name].layer, Mac):
                raise HwError(f"weight ROM of {name!r}: a {known[name].layer.kind} has no weights")
            if style not in ROM_STYLES:
                raise HwError(f"weight ROM of {name!r}: style {style!r}; expected one of {', '.join(ROM_STYLES)}")
        if not 1 <= self.max_beat <= LIMIT_BEAT_BITS:
            raise HwError(f"widest beat of {self.max_beat} bits: expected 1 to {LIMIT_BEAT_BITS}, what HLS tools take")

    def candidates(self, unit: Unit) -> list[Fold]:
        """The foldings that remain for `unit`. Raises `HwError` if none does."""
        folds = unit.legal_folds()
        wish, style = self.given.get(unit.name), self.rom.get(unit.name)
        if wish is not None:
            folds = [f for f in folds if meets(f, wish)]
        narrow = [f for f in folds if widest(unit, f) <= self.max_beat]
        if not narrow:
            least = min(widest(unit, f) for f in folds)
            raise HwError(
                f"layer {unit.name!r}: every folding left has a beat of {least:,} bits or more; the widest allowed is "
                f"{self.max_beat:,}. Allow more with --max-beat (at most {LIMIT_BEAT_BITS:,}) or fold the layer more"
            )
        if style is None:
            return narrow
        kept = [f._replace(rom=style) for f in narrow if f.form == FOLDED or unit.reuse_factor(f) > 1]
        if not kept:
            f = narrow[0]
            raise HwError(f"weight ROM of {unit.name!r}: folded {f.pe} x {f.simd}, its weights are constants")
        return kept


def meets(fold: Fold, wish: Wish) -> bool:
    return (fold.pe, fold.simd) == (wish.pe, wish.simd) and wish.form in (None, fold.form)


def _check_wish(unit: Unit, wish: Wish) -> None:
    if wish.form not in (None, *FORMS):
        raise HwError(f"folding of {unit.name!r}: form {wish.form!r}; expected {' or '.join(FORMS)}")
    choices = [f for f in unit.legal_folds() if wish.form in (None, f.form)]
    if not any(meets(f, wish) for f in choices):
        if unit.is_unrolled(Fold(wish.pe, wish.simd)):
            assert isinstance(unit.layer, Mac)
            raise HwError(
                f"folding of {unit.name!r}: ({wish.pe}, {wish.simd}) builds all weights in: "
                f"{nonzero_digits(unit.layer):,} non-zero digits, and at most {MOST_UNROLLED:,} can be. Take a smaller "
                "PE or SIMD"
            )
        pes, simds = (sorted({f[i] for f in choices}) for i in (0, 1))
        raise HwError(
            f"folding of {unit.name!r}: ({wish.pe}, {wish.simd}) is impossible"
            f"{f' in the {wish.form} form' if wish.form else ''}; PE is one of {pes}, SIMD one of {simds}"
        )


def _known(name: str, known: Mapping[str, Unit], what: str) -> None:
    if name not in known:
        near = nearest_names(name, known) or list(known)[:8]
        raise HwError(f"{what} of {name!r}: no such unit; did you mean {', '.join(near)}?")


def check(network: Network, folds: Mapping[str, Fold]) -> None:
    """Raises `HwError` if `folds` names a unit that does not exist or a folding it cannot have."""
    given = {name: Wish(f.pe, f.simd, f.form) for name, f in folds.items()}
    Limits(given, {name: f.rom for name, f in folds.items() if f.rom != "auto"}).check(network)


def fastest(network: Network, limits: Limits | None = None) -> tuple[int, str]:
    """(fewest cycles per image that any folding reaches, the unit that bounds it)."""
    limits = limits or Limits()
    least = [(min(limits.timing.cycles(u, f).interval for f in limits.candidates(u)), u.name) for u in units(network)]
    if not least:
        raise HwError("the network has no layers: there is nothing to build")
    return max(least)


def slowest(network: Network, limits: Limits | None = None) -> int:
    """Cycles per image beyond which no unit can be folded further."""
    limits = limits or Limits()
    return max(max(limits.timing.cycles(u, f).interval for f in limits.candidates(u)) for u in units(network))
