"""Writes a project folder: first beside its place, then renamed, so that no half-written project is ever seen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import hls4ml
import yaml
from hls4ml.writer.vitis_writer import VitisWriter

from crq.files import temporary_beside
from crq.hw.dataflow.words import words_of
from crq.hw.forms.folder import check_target, hashes, put
from crq.hw.forms.host import host_py
from crq.hw.forms.manifest import FILE, Manifest
from crq.hw.forms.vectors import vectors
from crq.hw.hls import firmware, testbench
from crq.hw.hls.axi import axi_cpp, has_axi_top
from crq.hw.hls.plan import Plan
from crq.hw.hls.readme import readme_md
from crq.hw.hls.scripts import AXI_SCRIPT, BUILD_AXI, BUILD_LIB, BUILD_OPT, build_prj, vivado_synth
from crq.hw.hls.tables import tables_h
from crq.hw.hls.templates import source_of

KERNELS = Path(__file__).parent / "kernels"
STOCK = Path(hls4ml.__file__).parent / "templates"
SIMULATION_HEADERS = {
    "sim/hls_stream.h": "include/hls_stream.h",
    "sim/ap_axi_sdata.h": "include/ap_axi_sdata.h",
    "sim/fast/ap_int.h": "fast/ap_int.h",
}


class CrqWriter(VitisWriter):
    """Writes what an ordinary hls4ml Vitis project has, from the plan of the backend's frontend."""

    def write_hls(self, model: Any) -> None:
        """Raises `HwError` if the output folder holds anything but a project of this backend."""
        target = Path(model.config.get_output_dir()).resolve()
        check_target(target, replace=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        work = temporary_beside(target)
        work.mkdir()
        try:
            _Files(work, model).write()
            put(work, target)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise


class _Files:
    def __init__(self, root: Path, model: Any) -> None:
        self.root, self.model = root, model
        self.plan: Plan = model.crq_plan
        self.name: str = model.config.get_project_name()
        self.testbench: dict[str, Any] = {}
        self.nodes = [model.graph[p.name] for p in self.plan.processes]

    def write(self) -> None:
        self.write_testbench()
        manifest = self.manifest()
        self.write_firmware(f"// {manifest.made_of}\n")
        self.copy_headers()
        self.write_scripts()
        self.model.crq_graph.save(str(self.root / "integer_graph.onnx"))
        self.text("host.py", host_py(self.plan.network, self.name, self.plan.inputs, self.plan.outputs))
        self.text("README.md", readme_md(self.plan, self.name, manifest))
        self.text(FILE, replace(manifest, files=hashes(self.root)).to_json())

    def text(self, path: str, content: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def write_firmware(self, head: str) -> None:
        name = self.name
        self.text("firmware/defines.h", firmware.defines_h(self.plan))
        self.text("firmware/parameters.h", firmware.parameters_h(self.plan))
        self.text(f"firmware/{name}.h", firmware.top_h(self.plan, name))
        calls = [node.get_attr("function_cpp") for node in self.nodes]
        self.text(f"firmware/{name}.cpp", head + firmware.top_cpp(self.plan, name, calls))
        if has_axi_top(self.plan):
            self.text(f"firmware/{name}_axi.cpp", head + axi_cpp(self.plan, name))
        self.text(f"{name}_bridge.cpp", firmware.bridge_cpp(self.plan, name))
        (self.root / "firmware" / "weights").mkdir()  # build_prj.tcl names it, even if no layer has a table
        for process, node in zip(self.plan.processes, self.nodes, strict=True):
            made = source_of(node)
            self.text(f"firmware/layers/{process.name}.h", firmware.layer_h(process, made))
            if made.tables:
                comment = f"Constant tables of {process.name}."
                self.text(f"firmware/weights/{process.name}.h", tables_h(made.tables, process.name, comment))

    def copy_headers(self) -> None:
        utils = self.root / "firmware" / "nnet_utils"
        utils.mkdir(parents=True)
        for header in sorted(KERNELS.glob("*.h")):
            shutil.copyfile(header, utils / header.name)
        shutil.copytree(
            STOCK / "vivado" / "ap_types", self.root / "firmware" / "ap_types", copy_function=shutil.copyfile
        )
        for source, target in SIMULATION_HEADERS.items():
            path = self.root / "sim" / target
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(KERNELS / source, path)

    def write_testbench(self) -> None:
        self.text(f"{self.name}_test.cpp", testbench.testbench_cpp(self.plan, self.name))
        made = vectors(self.plan.network, [s.shape for s in self.plan.outputs], self.model.crq_images)
        self.testbench = made.facts
        self.text("tb_data/input_codes.dat", made.inputs)
        self.text("tb_data/expected.dat", made.expected)

    def write_scripts(self) -> None:
        config = self.model.config
        settings = {
            "project_name": f'"{self.name}"', "backend": '"vitis"', "part": f'"{config.get_config_value("Part")}"',
            "clock_period": config.get_config_value("ClockPeriod"),
            "clock_uncertainty": config.get_config_value("ClockUncertainty"),
            "version": '"1.0.0"', "maximum_size": 4096,
        }  # fmt: skip
        self.text("project.tcl", "".join(f"variable {k}\nset {k} {v}\n" for k, v in settings.items()))
        self.text("build_opt.tcl", BUILD_OPT)
        self.text("vivado_synth.tcl", vivado_synth((STOCK / "vivado" / "vivado_synth.tcl").read_text()))
        self.text("build_prj.tcl", build_prj((STOCK / "vitis" / "build_prj.tcl").read_text()))
        if has_axi_top(self.plan):
            self.text(AXI_SCRIPT, BUILD_AXI.format(name=self.name))
        self.text("build_lib.sh", BUILD_LIB.format(name=self.name))
        (self.root / "build_lib.sh").chmod(0o755)
        saved = config.config | {"OutputDir": ".", "OnnxModel": "integer_graph.onnx"}
        self.text("hls4ml_config.yml", yaml.safe_dump(saved, sort_keys=True))

    def manifest(self) -> Manifest:
        config, plan, origin, choice = self.model.config, self.plan, self.model.crq_origin, self.model.crq_choice
        units = [(p, p.unit.name) for p in plan.processes if p.unit]
        return Manifest(
            project=self.name,
            target="hls",
            source=origin._asdict(),
            part=config.get_config_value("Part"),
            board=self.model.crq_board,
            clock_period=config.get_config_value("ClockPeriod"),
            io_type=plan.io_type,
            folding={name: p.fold for p, name in units},
            goal=choice.goal,
            why=choice.why,
            wanted=choice.wanted,
            layers={name: p.name for p, name in units},
            tops={"network": self.name} | ({"axi": f"{self.name}_axi"} if has_axi_top(plan) else {}),
            inputs=[words_of(stream)._asdict() for stream in plan.inputs],
            results=[words_of(stream)._asdict() for stream in plan.outputs],
            testbench=self.testbench,
            versions={package: metadata.version(package) for package in ("crq", "hls4ml", "qonnx", "onnx")},
            files={},
        )
