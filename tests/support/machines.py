"""Units beat by beat and cycle by cycle: what the cycle model says in closed form, by counters.

Written from the descriptions of the circuits (hw/rtl/lib). Of the code that it checks it takes the number of register
stages of a unit, the rows of a ring and the channels per beat, which are sizes of the hardware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from crq.hw.dataflow.beats import beats_in, conversion, stream_beats
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.schedule import depth
from crq.hw.dataflow.streams import Depths
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Concat, Conv, Dense, Enlarge, GlobalSum, MaxPool, Shift
from tests.support.queues import Fifo, Fork, Narrow, Node, Sink, Source, Widen, Wire, run_nodes


class Machine(Node):
    """A unit. `given`: the cycle in which each beat of its result appears; `taken`, per input, in which it takes one.

    Behind its work stands a pipeline of `stages` registers, which moves unless a beat that cannot leave is at its end.
    """

    def __init__(self, ins: list[Wire], stages: int) -> None:
        super().__init__(ins)
        self.pipeline = [False] * stages
        self.now, self.fresh = -1, True
        self.given: list[int] = []
        self.taken: list[list[int]] = [[] for _ in ins]

    @property
    def moves(self) -> bool:
        return not self.pipeline[-1] or self.out.ready

    def offer(self) -> None:
        self.out.valid = self.pipeline[-1]

    def work(self) -> bool:
        """One step, in a cycle in which the pipeline moves; whether it completes a beat."""
        raise NotImplementedError

    def clock(self) -> None:
        for wire, taken in zip(self.ins, self.taken, strict=True):
            if wire.moves:
                taken.append(self.now)
        if self.out.valid and self.fresh:
            self.given.append(self.now)
        self.fresh = not self.out.valid or self.out.ready
        if self.pipeline and self.moves:
            self.pipeline = [self.work(), *self.pipeline[:-1]]
        self.now += 1


class Wires(Machine):
    """A shift, or a concatenation of whole pixels: no register."""

    def __init__(self, ins: list[Wire]) -> None:
        super().__init__(ins, 0)

    def offer(self) -> None:
        self.out.valid = all(w.valid for w in self.ins)

    def accept(self) -> None:
        for wire in self.ins:
            wire.ready = self.out.ready and self.out.valid


class InTurn(Machine):
    """A concatenation that gives `counts` beats of each input, one input after the other."""

    def __init__(self, ins: list[Wire], counts: list[int]) -> None:
        super().__init__(ins, 0)
        self.turns, self.place = [i for i, n in enumerate(counts) for _ in range(n)], 0

    def offer(self) -> None:
        self.out.valid = self.ins[self.turns[self.place]].valid

    def accept(self) -> None:
        for i, wire in enumerate(self.ins):
            wire.ready = self.out.ready and i == self.turns[self.place]

    def clock(self) -> None:
        moved = self.out.moves
        super().clock()
        self.place = (self.place + moved) % len(self.turns)


class Element(Machine):
    """Takes a beat of every input, gives one of each `pixels` of them: of a global sum that of the last."""

    def __init__(self, ins: list[Wire], stages: int, blocks: int, pixels: int = 1) -> None:
        super().__init__(ins, stages)
        self.blocks, self.pixels, self.place = blocks, pixels, 0

    def last(self) -> bool:
        return self.place // self.blocks == self.pixels - 1

    def accept(self) -> None:
        free = self.moves or not self.last()
        for wire in self.ins:
            wire.ready = free and all(w.valid for w in self.ins)

    def work(self) -> bool:
        return self.took and self.gives

    def clock(self) -> None:
        self.took, self.gives = all(w.moves for w in self.ins), self.last()
        if self.took:
            self.place = (self.place + 1) % (self.blocks * self.pixels)
        super().clock()


class Blocks(Machine):
    """Gives a beat of every pixel of a block, row by row; takes one where a pixel of the image is first met."""

    def __init__(self, ins: list[Wire], stages: int, blocks: int, columns: int, factor: tuple[int, int]) -> None:
        super().__init__(ins, stages)
        rows, across = factor
        self.walk = [y == x == 0 for y in range(rows) for _ in range(columns) for x in range(across) for _ in
                     range(blocks)]  # fmt: skip
        self.place = 0

    def accept(self) -> None:
        self.ins[0].ready = self.moves and self.walk[self.place]

    def work(self) -> bool:
        steps = self.ins[0].moves or not self.walk[self.place]
        self.place = (self.place + steps) % len(self.walk)
        return steps


class Parallel(Machine):
    """Walks over the padded image, and stays where a window is complete."""

    def __init__(self, ins: list[Wire], stages: int, walk: list[tuple[bool, bool]], steps: int, blocks: int) -> None:
        super().__init__(ins, stages)
        self.walk, self.steps, self.block, self.place = walk, steps, steps // blocks, 0
        self.left = 0  # steps that the window in the registers still has

    def accept(self) -> None:
        real, _ = self.walk[self.place]
        self.ins[0].ready = self.moves and self.left <= 1 and real

    def work(self) -> bool:
        done = self.left > 0 and (self.left - 1) % self.block == 0
        enters = self.left <= 1 and (self.ins[0].moves or not self.walk[self.place][0])
        self.left = max(0, self.left - 1)
        if enters:
            _, completes = self.walk[self.place]
            self.left = self.steps if completes else 0
            self.place = (self.place + 1) % len(self.walk)
        return done


class Memory(Machine):
    """A ring of rows: `plan`, per output row, the rows that must be there and those that are free after it; `keeps`,
    per beat of an image, whether it enters; `read` and `block`, cycles of an output row and of a block of it."""

    def __init__(
        self, ins: list[Wire], stages: int, rows: int, row_words: int, plan: list[tuple[int, int]],
        keeps: list[bool], read: int, block: int,
    ) -> None:  # fmt: skip
        super().__init__(ins, stages)
        self.rows, self.row_words, self.plan, self.keeps = rows, row_words, plan, keeps
        self.read, self.block = read, block
        self.filled = self.words = self.row = self.step = self.place = 0

    def accept(self) -> None:
        self.ins[0].ready = self.filled < self.rows or not self.keeps[self.place]

    def work(self) -> bool:
        need, drop = self.plan[self.row]
        self.freed = 0
        if self.before < need:
            return False
        self.step += 1
        done = self.step % self.block == 0
        if self.step == self.read:
            self.step, self.freed, self.row = 0, drop, (self.row + 1) % len(self.plan)
        return done

    def clock(self) -> None:
        self.before, self.freed = self.filled, 0
        if self.ins[0].moves:
            self.words += self.keeps[self.place]
            self.place = (self.place + 1) % len(self.keeps)
            if self.words == self.row_words:
                self.words, self.filled = 0, self.filled + 1
        super().clock()
        self.filled -= self.freed


def machine(unit: Unit, fold: Fold, ins: list[Wire]) -> Machine:
    """The machine of `unit` that reads `ins`."""
    layer, image, out = unit.layer, unit.sources[0].shape, unit.output.shape
    blocks = out.c // fold.pe
    if isinstance(layer, Shift) or (isinstance(layer, Concat) and fold.pe == out.c):
        return Wires(ins)
    if isinstance(layer, Concat):
        return InTurn(ins, [t.shape.c // fold.pe for t in unit.sources])
    if isinstance(layer, GlobalSum):
        return Element(ins, depth(unit, fold), blocks, image.h * image.w)
    if isinstance(layer, Enlarge):
        return Blocks(ins, depth(unit, fold), blocks, image.w, layer.factor)
    if not isinstance(layer, (Conv, Dense, MaxPool)):
        return Element(ins, depth(unit, fold), blocks)
    return (_memory if fold.form == FOLDED else _parallel)(unit, fold, ins)


@dataclass
class Geometry:
    """Sizes as (rows, columns); `ends`: padding below and to the right."""

    image: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    begins: tuple[int, int] = (0, 0)
    ends: tuple[int, int] = (0, 0)

    def places(self, axis: int) -> list[tuple[int, int]]:
        """First and last row (or column) under each window, by trying every place of the padded image."""
        reach = (self.kernel[axis] - 1) * self.dilations[axis]
        padded = range(-self.begins[axis], self.image[axis] + self.ends[axis])
        return [(a, a + reach) for a in padded[:: self.strides[axis]] if a + reach in padded]

    def turned(self) -> Geometry:
        pairs = (self.image, self.kernel, self.strides, self.dilations, self.begins, self.ends)
        return Geometry(*((b, a) for a, b in pairs))


def geometry(unit: Unit) -> Geometry:
    layer, image = unit.layer, unit.sources[0].shape
    if isinstance(layer, Dense):
        return Geometry((1, image.h * image.w), (1, image.h * image.w))
    assert isinstance(layer, (Conv, MaxPool))
    pads, dilation = layer.pads, layer.dilation if isinstance(layer, Conv) else (1, 1)
    return Geometry((image.h, image.w), layer.kernel, layer.stride, dilation, (pads.top, pads.left),
                    (pads.bottom, pads.right))  # fmt: skip


def _parallel(unit: Unit, fold: Fold, ins: list[Wire]) -> Parallel:
    g = geometry(unit)
    ends = {(y, x) for (_, y), (_, x) in product(g.places(0), g.places(1))}
    padded = product(range(-g.begins[0], g.image[0] + g.ends[0]), range(-g.begins[1], g.image[1] + g.ends[1]))
    walk = [(y in range(g.image[0]) and x in range(g.image[1]), (y, x) in ends) for y, x in padded]
    blocks = unit.output.shape.c // fold.pe
    products = 1 if isinstance(unit.layer, MaxPool) else unit.fan_in // fold.simd
    return Parallel(ins, depth(unit, fold) - 1, walk, blocks * products, blocks)


def _memory(unit: Unit, fold: Fold, ins: list[Wire]) -> Memory:
    g, words = geometry(unit), unit.sources[0].shape.c // beats_in(unit, fold)[0]
    taps, outputs = g.kernel[0] * g.kernel[1], unit.output.shape.c // fold.pe
    block = taps if unit.is_lanewise else unit.fan_in // fold.simd
    keeps = [True] * (g.image[0] * g.image[1])
    if taps == 1 and not any(g.begins + g.ends):
        # Pixel by pixel; those under no window do not enter.
        under = {(y, x) for (y, _), (x, _) in product(g.places(0), g.places(1))}
        keeps = [place in under for place in product(range(g.image[0]), range(g.image[1]))]
        g = Geometry((len(under), 1), (1, 1))
    elif g.image[0] == 1 and g.kernel[0] == 1 and not (g.begins[0] or g.ends[0]) and len(g.places(1)) > 1:
        g = g.turned()  # the rows of a signal are its pixels
    keeps = [keep for keep in keeps for _ in range(words)]
    return Memory(ins, depth(unit, fold), ring(unit, fold).rows, g.image[1] * words, plan(g), keeps,
                  len(g.places(1)) * outputs * block, block)  # fmt: skip


def plan(g: Geometry) -> list[tuple[int, int]]:
    """Per output row, the rows that it waits for and those that it frees. A window waits for the rows under it, the
    last one of an image for all; it frees what is above the next one, the last one all."""
    kept, result, windows = set(range(g.image[0])), [], g.places(0)
    for i, (_, bottom) in enumerate(windows):
        last = i == len(windows) - 1
        need = sum(last or row <= bottom for row in kept)
        free = {row for row in kept if last or row < windows[i + 1][0]}
        kept -= free
        result.append((need, len(free)))
    return result


def run_unit(unit: Unit, fold: Fold, entering: Sequence[Sequence[int]], joined: Sequence[int] = ()) -> Machine:
    """The machine of `unit` after it has given all beats of the images that enter from the cycles `entering` on, per
    input; behind converters that join beats if `joined` says how many."""
    sources: list[Node] = [Source(list(cycles)) for cycles in entering]
    widened = [Widen(s.out, n) if n > 1 else None for s, n in zip(sources, joined or [1] * len(sources), strict=True)]
    ins = [w.out if w else s.out for s, w in zip(sources, widened, strict=True)]
    found = machine(unit, fold, ins)
    nodes = [*sources, *(w for w in widened if w), found, Sink([found.out])]
    images = len(entering[0]) * (beats_in(unit, fold)[0]) // (unit.sources[0].shape.size * (joined or [1])[0])
    count = images * unit.output.shape.size // fold.pe
    run_nodes(nodes, lambda: len(found.given) == count)
    return found


def run_network(
    network: Network, folds: Mapping[str, Fold], depths: Depths, entering: list[int], images: int
) -> dict[str, Machine]:
    """The machine of every unit after the network has given `images`, or after all stand still."""
    beats, nodes, found = stream_beats(network, folds), list[Node](), {}
    readers: dict[str, list[tuple[str, int]]] = {}
    for unit in units(network):
        for i, tensor in enumerate(unit.sources):
            readers.setdefault(tensor.name, []).append((unit.name, i))
    sink = network.carried(network.outputs[0])
    readers.setdefault(sink.name, []).append(("out", 0))
    ends: dict[tuple[str, int], Wire] = {}

    def add(name: str, node: Node) -> None:
        nodes.append(node)
        if len(readers[name]) > 1:
            nodes.append(fork := Fork(node.out, len(readers[name])))
        ends.update(zip(readers[name], fork.outs if len(readers[name]) > 1 else [node.out], strict=True))

    add(network.inputs[0].name, Source(entering))
    for unit in units(network):
        fold, ins = folds[unit.name], []
        for i, (tensor, wanted) in enumerate(zip(unit.sources, beats_in(unit, fold), strict=True)):
            parts, joined = conversion(beats[tensor.name], wanted)
            behind = [(Fifo, depths[unit.name, i]), (Narrow, parts if parts > 1 else 0),
                      (Widen, joined if joined > 1 else 0)]  # fmt: skip
            wire = ends[unit.name, i]
            for kind, size in behind:
                if size:
                    nodes.append(kind(wire, size))
                    wire = nodes[-1].out
            ins.append(wire)
        found[unit.name] = machine(unit, fold, ins)
        add(unit.output.name, found[unit.name])
    nodes.append(Sink([ends["out", 0]]))
    [last] = [u for u in units(network) if u.output is sink]
    count = images * sink.shape.size // folds[last.name].pe
    run_nodes(nodes, lambda: len(found[last.name].given) == count)
    return found
