"""C simulation: stock hls4ml 1.3.0 and crq side by side on the same ternary network.

    python benchmarks/csim.py [--network convnet|resnet20] [--json FILE] [--skip-stock]

The network is frozen from random weights and exported once; crq builds the file, stock hls4ml gets it through
`crq.export.stock.to_stock_hls4ml` (Vitis, io_stream, Resource strategy, fixed<24,14> where the file names no type).
What stock cannot do is said, and measured on the nearest layers it can do instead (`stand_in`), under that name. Peak
memory is that of the child process that did the step. Run on an idle machine: times are wall clock on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

SHAPES = {"convnet": (1, 28, 28), "resnet20": (3, 32, 32)}
IMAGES = {"fast": 128, "ap": 4}
STOCK_IMAGES = 3
Put = Callable[[str, Any], None]
Step = Callable[[str, Path, Put], None]


def export_network(network: str, folder: Path, put: Put) -> None:
    """FOLDER/NETWORK.onnx and frozen.pt, with random weights."""
    import torch

    import crq
    from crq import models
    from crq.export.qonnx import to_qonnx

    torch.manual_seed(0)
    model = crq.prepare(models.build(network))
    crq.set_mode(model, "quantized")
    frozen = crq.freeze(model, [torch.randint(0, 256, (64, *SHAPES[network]), dtype=torch.uint8)])
    frozen.save(folder / "frozen.pt")
    to_qonnx(frozen, folder / f"{network}.onnx")


def crq_side(network: str, folder: Path, put: Put) -> None:
    """Seconds per step; milliseconds per image on one core and on two."""
    from crq import hw
    from crq.hw.hls.csim import Simulation, compile_simulation
    from crq.hw.ir.vectors import random_codes
    from crq.hw.verify.live import verify

    start = time.perf_counter()
    project = hw.build(folder / f"{network}.onnx", folder / "crq", fit_check=False)
    put("convert_s", time.perf_counter() - start)
    codes = random_codes(project.network, IMAGES["fast"])
    flat = project.codes(codes)
    for mode, images in IMAGES.items():
        start = time.perf_counter()
        library = compile_simulation(project.directory, mode)
        put(f"{mode}_compile_s", time.perf_counter() - start)
        simulation = Simulation(library, flat.shape[1], project.network.outputs[0].shape.size)
        simulation.run(flat[:1])
        start = time.perf_counter()
        simulation.run(flat[:images])
        put(f"{mode}_ms_per_image", (time.perf_counter() - start) / images * 1e3)
        start = time.perf_counter()
        for _ in simulation.batches(np.tile(flat[:images], (2, 1)), 2, images // 4):
            pass
        put(f"{mode}_ms_per_image_two_cores", (time.perf_counter() - start) / images / 2 * 1e3)
    _put_memory(put)
    put("exact_images", str(verify(project, codes[:16], folder)))


def stock_side(network: str, folder: Path, put: Put) -> None:
    """The same file through stock hls4ml; steps are put as they succeed, since a later one may end the process."""
    import hls4ml
    import torch

    from crq.convert.frozen import FrozenModel
    from crq.export.stock import to_stock_hls4ml

    start = time.perf_counter()
    model = to_stock_hls4ml(folder / f"{network}.onnx")
    config = hls4ml.utils.config_from_onnx_model(
        model, granularity="name", backend="Vitis", default_precision="fixed<24,14>"
    )
    for options in config["LayerName"].values():
        options["Strategy"] = "Resource"
    converted = hls4ml.converters.convert_from_onnx_model(
        model, output_dir=str(folder / "stock"), project_name="bench", backend="Vitis", io_type="io_stream",
        hls_config=config,
    )  # fmt: skip
    converted.write()
    put("convert_s", time.perf_counter() - start)
    codes = np.random.default_rng(0).integers(0, 256, (STOCK_IMAGES, *SHAPES[network]))
    logits = _run_stock(converted, np.ascontiguousarray(codes.transpose(0, 2, 3, 1), np.float32) / 256, put)
    expected = FrozenModel.load(folder / "frozen.pt")(torch.as_tensor(codes)).numpy()
    exact = int((logits.reshape(expected.shape) == expected).all(1).sum())
    put("exact_images", f"{exact} of {STOCK_IMAGES} images have the logits of the PyTorch model")


def stand_in(network: str, folder: Path, put: Put) -> None:
    """The convolutions, additions and pools of the network as stock layers with ReLU in place of thresholds."""
    import hls4ml
    from hls4ml.model import ModelGraph

    from crq.hw.verify.chain import load_network

    layers = stock_layers(load_network(folder / f"{network}.onnx"))
    config = hls4ml.utils.config.create_config(
        output_dir=str(folder / "stand_in"), project_name="bench", backend="Vitis", io_type="io_stream"
    )
    config["HLSConfig"] = {"Model": {"Precision": "ap_fixed<24,20>", "ReuseFactor": 1, "Strategy": "Resource"}}
    start = time.perf_counter()
    model = ModelGraph.from_layer_list(config, layers)
    model.write()
    put("convert_s", time.perf_counter() - start)
    shape = (STOCK_IMAGES, *layers[0]["input_shape"])
    _run_stock(model, np.random.default_rng(0).integers(0, 256, shape).astype(np.float32), put)


def _run_stock(model: Any, x: np.ndarray, put: Put) -> np.ndarray:
    """Compiles and predicts, timed; the predictions."""
    start = time.perf_counter()
    model.compile()
    put("compile_s", time.perf_counter() - start)
    model.predict(x[:1])
    start = time.perf_counter()
    result: np.ndarray = model.predict(x)
    put("ms_per_image", (time.perf_counter() - start) / len(x) * 1e3)
    _put_memory(put)
    return result


def _put_memory(put: Put) -> None:
    put("peak_python_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    put("peak_compiler_mb", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


def stock_layers(network: Any) -> list[dict[str, Any]]:
    """hls4ml's layer list for `stand_in` from a `crq.hw.ir.graph.Network`: the multiply-adds and streams of the
    network."""
    from crq.hw.ir.layers import Add, Conv, Dense, GlobalSum, MaxPool, Threshold
    from crq.hw.ir.layers import Flatten as FlattenLayer

    c, h, w = network.inputs[0].shape
    layers: list[dict[str, Any]] = [{"class_name": "InputLayer", "name": "x0", "input_shape": [h, w, c]}]
    names = {network.inputs[0].name: "x0"}
    for layer in network:
        source = [names[t.name] for t in layer.inputs]
        (ci, hi, wi), (co, ho, wo) = layer.input.shape, layer.output.shape
        image = {"data_format": "channels_last", "in_height": hi, "in_width": wi, "out_height": ho, "out_width": wo}
        made: dict[str, Any] | None = None
        if isinstance(layer, Conv):
            made = image | {
                "class_name": "Conv2D", "n_chan": ci, "n_filt": co, "filt_height": layer.kernel[0],
                "filt_width": layer.kernel[1], "stride_height": layer.stride[0], "stride_width": layer.stride[1],
                "pad_top": layer.pads.top, "pad_bottom": layer.pads.bottom, "pad_left": layer.pads.left,
                "pad_right": layer.pads.right, "weight_data": layer.weights.transpose(2, 3, 1, 0).astype(float),
                "bias_data": None, "use_bias": False,
            }  # fmt: skip
        elif isinstance(layer, Dense):
            weights = layer.weights.reshape(co, -1).T.astype(float)
            made = {"class_name": "Dense", "n_in": len(weights), "n_out": co, "weight_data": weights, "bias_data": None}
        elif isinstance(layer, Threshold):
            made = {"class_name": "Activation", "activation": "relu", "n_in": ci * hi * wi}
        elif isinstance(layer, Add):
            made = {"class_name": "Merge", "op": "add"}
        elif isinstance(layer, MaxPool):
            made = image | {
                "class_name": "MaxPooling2D", "n_filt": ci, "pool_height": layer.kernel[0],
                "pool_width": layer.kernel[1], "stride_height": layer.stride[0], "stride_width": layer.stride[1],
                "pad_top": 0, "pad_bottom": 0,
                "pad_left": 0, "pad_right": 0, "pool_op": "Max", "count_pad": False,
            }  # fmt: skip
        elif isinstance(layer, GlobalSum):
            made = image | {"class_name": "GlobalAveragePooling2D", "n_filt": ci}
        elif isinstance(layer, FlattenLayer) and hi * wi > 1:
            made = {"class_name": "Reshape", "target_shape": [ci * hi * wi]}
        if made is None:  # a shift or bias: nothing that costs
            names[layer.output.name] = source[0]
            continue
        layers.append({"name": layer.name, "inputs": source, "outputs": [layer.name], **made})
        names[layer.output.name] = layer.name
    return layers


def in_child(step: Step, network: str, folder: Path, limit: float | None = None) -> dict[str, Any]:
    """Runs `step` in a process of its own, at most `limit` seconds; what it measured, and `error` if it did not end."""
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()  # writes at once: nothing is lost when the process dies
    process = context.Process(target=_child, args=(step, network, folder, queue))
    process.start()
    process.join(limit)
    if late := process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)  # with the compiler it may have started
        process.join()
    found: dict[str, Any] = {}
    while not queue.empty():
        key, value = queue.get()
        found[key] = value
    if late:
        found["error"] = f"not done after {limit:g} s"
    elif process.exitcode and "error" not in found:
        found["error"] = f"the process died with exit code {process.exitcode}"
    return found


def _child(step: Step, network: str, folder: Path, queue: Any) -> None:
    os.setsid()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # hls4ml narrates on stdout
            step(network, folder, lambda key, value: queue.put((key, value)))
    except Exception as error:  # whatever stock hls4ml raises is a result
        queue.put(("error", f"{type(error).__name__}: {str(error)[:300]}"))


def ratios(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """Stock figure over ours: above 1, crq is faster or smaller."""
    pairs = {"convert": ("convert_s", "convert_s")}
    for mode in IMAGES:
        pairs |= {
            f"compile, {mode}": ("compile_s", f"{mode}_compile_s"),
            f"per image, {mode}, one core": ("ms_per_image", f"{mode}_ms_per_image"),
            f"per image, {mode}, two cores": ("ms_per_image", f"{mode}_ms_per_image_two_cores"),
        }
    pairs |= {f"peak memory, {who}": (f"peak_{who}_mb", f"peak_{who}_mb") for who in ("python", "compiler")}
    return {name: theirs[a] / ours[b] for name, (a, b) in pairs.items() if a in theirs and b in ours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=SHAPES, default="resnet20")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--skip-stock", action="store_true")
    parser.add_argument("--limit", type=float, default=300, help="seconds stock hls4ml may take for the file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    results: dict[str, Any] = {"network": options.network}
    try:
        if problem := in_child(export_network, options.network, folder).get("error"):
            sys.exit(problem)
        results["crq"] = in_child(crq_side, options.network, folder)
        if not options.skip_stock:
            results["stock"] = in_child(stock_side, options.network, folder, options.limit)
            if "error" in results["stock"]:
                results["stand-in"] = in_child(stand_in, options.network, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("crq", "stock", "stand-in"):
        for key, value in results.get(name, {}).items():
            print(f"{name:8} {key:28} {value if isinstance(value, str) else round(value, 2)}")
    for name in ("stock", "stand-in"):
        results[f"{name} over crq"] = ratios(results["crq"], results.get(name, {}))
        for key, value in results[f"{name} over crq"].items():
            print(f"{name} over crq: {key:28} {value:8.2f}")
    fast = results["crq"]
    if "fast_ms_per_image_two_cores" in fast:
        print(f"second core, fast: {fast['fast_ms_per_image'] / fast['fast_ms_per_image_two_cores']:.2f}x")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
