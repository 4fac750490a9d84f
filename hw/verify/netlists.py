"""The netlists of a bitstream against the network: what synthesis and place and route left gives the same integers."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.errors import VerificationError
from crq.hw.errors import HwError
from crq.hw.forms.verdicts import keep
from crq.hw.rtl.bitstream.project import STAGES, Bitstream, Simulated, write
from crq.hw.verify.link import Link, compare
from crq.hw.verify.live import against, expected_integers, reference_file


class Netlist(NamedTuple):
    """The outcome for one netlist; `error` if it did not even answer."""

    stage: str
    link: Link | None
    error: str
    build_seconds: float
    seconds: float

    @property
    def equal(self) -> bool:
        """A netlist that compared nothing is not equal."""
        return self.link is not None and self.link.integers > 0 and self.link.equal

    def __str__(self) -> str:
        if self.link is None:
            return f"NOT bit-exact: {self.error}"
        seconds = f"{self.build_seconds:.0f} s to build, {self.seconds:.1f} s to simulate"
        return f"{self.link.outcome} ({self.link.name}), {seconds}"

    def facts(self) -> dict[str, Any]:
        link = self.link.facts() if self.link else {}
        seconds = {"build_seconds": self.build_seconds, "seconds": round(self.seconds, 2)}
        return {"stage": self.stage, "equal": self.equal, "text": str(self), **seconds, "link": link}


def check_netlists(
    made: Bitstream, codes: NDArray[np.integer], reference: str | PathLike[str] | None = None, *,
    cache: Path | None = None, heard: Callable[[str, int], None] = lambda stage, images: None,
) -> list[Netlist]:  # fmt: skip
    """Both netlists on input codes (N, C, H, W), over their serial lines; the outcome is kept beside the bitstream.

    `reference` is a run folder or frozen.pt: live PyTorch; without it, the integer graph. Raises `HwError` for no
    images.
    """
    if not len(codes):
        raise HwError("no images: a netlist that is compared on none is not verified; expected at least 1")
    expected = expected_integers(made.built.network, codes, reference)
    found = []
    for stage in STAGES:
        link, error, ran = None, "", Simulated(np.empty(0, np.int64), 0.0, 0.0)
        try:
            ran = made.simulate(stage, codes, cache, lambda n, stage=stage: heard(stage, n))  # type: ignore[misc]
            link = compare(
                f"netlist of {stage} against {against(reference)}", ran.integers.reshape(expected.shape), expected
            )
        except VerificationError as caught:
            error = str(caught)
        found.append(Netlist(stage, link, error, ran.build_seconds, ran.seconds))
    write(made, [n.facts() for n in found])
    links = [n.link for n in found if n.link]
    counts = {key: max((getattr(link, key) for link in links), default=0) for key in ("images", "integers")}
    board = made.made.wrapped.board.name
    keep(
        made.built, f"netlists for {board} against {against(reference)}",
        {
            **counts, "against": against(reference), "mode": "netlist", "differing": sum(n.differing for n in links),
            "equal": all(n.equal for n in found),
        },
        reference_file(reference),
    )  # fmt: skip
    return found
