"""FIFO depths: the firmware with queues as deep as in hardware, one thread per process; a deadlock fails the check."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from crq.errors import ToolError
from crq.hw import hls
from crq.hw.compiler import compiler
from crq.hw.hls.plan import Plan
from crq.hw.verify.proofs.proof import Proof

IMAGES = 2  # back to back: the second enters while the first is still inside
DEADLOCK = 3  # exit code of the simulation
KERNELS = Path(hls.__file__).parent / "kernels" / "sim"


def check(project: Path, plan: Plan) -> Proof:
    """Runs with the depths that the project's own source states."""
    if plan.io_type != "io_stream":
        return Proof("FIFO depths", True, "io_parallel has no FIFOs", skipped=True)
    depths = stated_depths(project)
    if unstated := [s.name for s in plan.streams if s.name not in depths]:
        return Proof("FIFO depths", False, f"the firmware states no depth of {', '.join(unstated)}")
    deadlock = simulate(project, plan, depths)
    if deadlock:
        return Proof("FIFO depths", False, f"deadlock: {deadlock}")
    total = sum(depths[s.name] for s in plan.streams)
    return Proof("FIFO depths", True, f"{len(plan.streams)} FIFOs of {total} beats in all carry {IMAGES} images")


def stated_depths(project: Path) -> dict[str, int]:
    """Depth of each stream by name, from the STREAM pragmas of the firmware."""
    pragma = re.compile(r"^\s*#pragma HLS STREAM variable=(\w+) depth=(\d+)\s*$", re.MULTILINE)
    texts = (path.read_text() for path in sorted((project / "firmware").glob("*.cpp")))
    return {name: int(depth) for text in texts for name, depth in pragma.findall(text)}


def simulate(project: Path, plan: Plan, depths: Mapping[str, int]) -> str | None:
    """The queues that block each other with these depths, or None if the images pass. Raises `ToolError` from g++."""
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder) / "fifo.cpp"
        main.write_text(program(plan, depths))
        # Native integers, but the loops that make the sums as the hardware has them: what they read and give when is
        # what fills the queues. Codes are found where the sums are, without the loop that synthesis gets for them.
        command = [
            compiler(), "-std=c++14", "-O1", "-pthread", "-Wno-unknown-pragmas",
            f"-I{KERNELS / 'fast'}", f"-I{KERNELS / 'bounded'}", "-Ifirmware", str(main), "-o", f"{folder}/fifo",
        ]  # fmt: skip
        made = subprocess.run(command, cwd=project, capture_output=True, text=True)
        if made.returncode:
            raise ToolError(f"{' '.join(command)} failed in {project}:\n{made.stderr[-4000:]}")
        run = subprocess.run([f"{folder}/fifo"], capture_output=True, text=True)
    if run.returncode == DEADLOCK:
        return "; ".join(line.removeprefix("deadlock ") for line in run.stdout.splitlines())
    if run.returncode:
        raise ToolError(f"the FIFO simulation of {project} exited with code {run.returncode}: {run.stderr[-1000:]}")
    return None


def program(plan: Plan, depths: Mapping[str, int]) -> str:
    """One thread per process, those that feed images of zeros and those that take the results."""
    streams = [*plan.inputs, *plan.streams, *plan.outputs]
    queues = [f'    hls::stream<{s.type_name}> {s.name}("{s.name}", {depths.get(s.name, 2)});' for s in streams]
    bodies = [f"for (unsigned p = 0; p < {x.beats}; p++) {x.name}.write({x.type_name}());" for x in plan.inputs]
    bodies += [f"for (unsigned p = 0; p < {y.beats}; p++) {y.name}.read();" for y in plan.outputs]
    for process in plan.processes:
        arguments = ", ".join(s.name for s in (*process.inputs, *process.outputs))
        bodies.append(f"{process.name}({arguments});")
    threads = [f"    run([&] {{ {body} }});" for body in bodies]
    return "\n".join(
        [
            '#include "parameters.h"', "#include <functional>", "#include <thread>", "", "int main() {", *queues,
            "    std::vector<std::thread> threads;",
            "    auto run = [&](std::function<void()> process) {",
            "        threads.emplace_back([process] {",
            f"            for (unsigned image = 0; image < {IMAGES}; image++)",
            "                process();",
            "            std::unique_lock<std::mutex> lock(crq_sim::the_scheduler().mutex);",
            "            if (--crq_sim::the_scheduler().running == 0) {",
            "                for (const crq_sim::queue_state *q : crq_sim::the_scheduler().queues)",
            "                    if (q->reader_waits || q->writer_waits) {",
            "                        crq_sim::the_scheduler().running = 1;",
            "                        crq_sim::the_scheduler().wait_or_deadlock();",
            "                    }",
            "            }",
            "        });",
            "    };",
            f"    crq_sim::the_scheduler().running = {len(bodies)};",
            *threads,
            "    for (std::thread &thread : threads)",
            "        thread.join();",
            "    return 0;",
            "}",
            "",
        ]
    )  # fmt: skip
