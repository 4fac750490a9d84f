"""The constants of hw/cost/constants.py, computed again from the synthesised circuits of benchmarks/calibration.

What joins banks of ECP5's distributed RAM is a rounded fit by hand: checked to lie near the points. The lists of
abscissae are those of the sweep.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from crq.hw.cost import constants as measured

CALIBRATION = Path(__file__).parents[3] / "benchmarks" / "calibration"
FABRICS = ("xcup", "ecp5")


@pytest.fixture(scope="module")
def fit() -> ModuleType:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(CALIBRATION)
        for name in ("circuits", "sweeps", "fit", "unrolled"):
            patched.delitem(sys.modules, name, raising=False)
        import fit as found

        return found


@pytest.mark.parametrize("family", FABRICS)
@pytest.mark.parametrize("name", list(measured.WEIGHTS))
def test_weights_are_fitted_to_the_points(fit: ModuleType, name: str, family: str) -> None:
    weights, off = fit.fitted(name, family)
    assert measured.WEIGHTS[name][family] == pytest.approx(weights, abs=0.02)
    assert off


@pytest.mark.parametrize("family", FABRICS)
def test_multiplexers(fit: ModuleType, family: str) -> None:
    found = {f.p["N"]: f.logic / f.p["WIDTH"] for f in fit.points("crq_select", family)}
    assert dict(zip(measured.MULTIPLEXER_INPUTS, measured.MULTIPLEXER_LUTS[family], strict=True)) == found


@pytest.mark.parametrize("family", FABRICS)
def test_comparators_and_their_encoders(fit: ModuleType, family: str) -> None:
    encoders = measured.ENCODER_LUTS[family]
    for width, luts in zip(measured.COMPARATOR_BITS, measured.COMPARATOR_LUTS[family], strict=True):
        found = fit.points("crq_compare", family, FIXED=0, WIDTH=width)
        total = sum(f.logic - encoders[f.p["BITS"] - 1] for f in found)
        assert luts == round(2 * total / sum((1 << f.p["BITS"]) - 1 for f in found)) / 2
    each = {f.p["WIDTH"]: f.logic for f in fit.points("crq_compare", family, FIXED=0, BITS=1)}
    for bits, luts in enumerate(encoders, 1):
        # Of six-bit sums, 15 thresholds share more than a comparator's own LUTs: left out of the mean.
        wide = [f for f in fit.points("crq_compare", family, FIXED=0, BITS=bits) if f.p["WIDTH"] >= 8]
        assert luts == round(np.mean([f.logic - ((1 << bits) - 1) * each[f.p["WIDTH"]] for f in wide]))


@pytest.mark.parametrize("family", FABRICS)
def test_maxima(fit: ModuleType, family: str) -> None:
    tables = measured.MAXIMUM_LUTS[family], measured.LATER_MAXIMUM_LUTS[family]
    for bits, first, later in zip(measured.MAXIMUM_BITS, *tables, strict=True):
        found = {f.p["N"]: f.logic for f in fit.points("crq_max", family, BITS=bits)}
        assert first == found[2]
        assert later == pytest.approx((found[4] - 2 * first + found[9] - 4 * first) / 5)


@pytest.mark.parametrize("family", FABRICS)
def test_roms(fit: ModuleType, family: str) -> None:
    found = {f.p["DEPTH"]: f.logic / f.p["WIDTH"] for f in fit.points("crq_rom", family, BLOCK=0)}
    for words, luts in zip(measured.ROM_WORDS, measured.ROM_LUTS[family], strict=True):
        assert luts == pytest.approx(found[words], rel=0.03)


def test_banks_of_ecp5_lie_near_the_points(fit: ModuleType) -> None:
    """A ring in distributed RAM less the same ring in block RAM."""
    both = list(fit.points("crq_ring", "ecp5", BITS=16, WORDS=4, HEIGHT=32, BLOCKS=4, STRIDE_H=1))
    in_lut, in_block = sorted(both, key=lambda f: f.p["BLOCK"])
    assert measured.banks_joined(32, 16, "ecp5") == pytest.approx(in_lut.logic - in_block.logic, rel=0.03)


@pytest.mark.parametrize("family", FABRICS)
def test_between_and_beyond_the_points_prices_only_rise(family: str) -> None:
    found = [measured.comparator(bits, family) for bits in range(1, 40)]
    assert found == sorted(found)
    assert measured.rom_luts(4096, family) == pytest.approx(2 * measured.rom_luts(2048, family))
    assert measured.multiplexer(288, family) == 2 * measured.multiplexer(144, family)
    assert measured.maxima(4, 16, family) == 2 * measured.maxima(4, 8, family)
