"""C simulation: stock hls4ml 1.3.0 and crq side by side on the same ternary network.

    python benchmarks/csim.py [--network cnn|resnet20] [--json FILE] [--skip-stock]

Both get 4-bit activations and ternary weights; the stock project uses Vitis, io_stream, Resource strategy. Peak memory
is that of the child process that did the step. Run on an idle machine: times are wall clock on one core.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def integer_graph(network: str) -> Any:
    from tests.hw.random_graphs import resnet, small_cnn

    return resnet() if network == "resnet20" else small_cnn(0, size=16, channels=3, widths=(16, 32))


def crq(network: str, folder: Path) -> dict[str, float]:
    """Seconds per step; milliseconds per image on one core and on all."""
    import hw
    from hw.golden import evaluate
    from hw.simulate import Simulation, compile_simulation
    from hw.vectors import random_codes

    graph = integer_graph(network)
    start = time.perf_counter()
    project = hw.build(graph, folder / "crq", project_name="bench")
    result = {"convert_s": time.perf_counter() - start}
    codes = random_codes(project.network, 128)
    expected = evaluate(project.network, codes[:4]).reshape(4, -1)
    flat = project.codes(codes)
    for mode, images in (("fast", 128), ("ap", 4)):
        start = time.perf_counter()
        library = compile_simulation(project.directory, mode)
        result[f"{mode}_compile_s"] = time.perf_counter() - start
        simulation = Simulation(library, flat.shape[1], expected.shape[1])
        assert np.array_equal(simulation.run(flat[:4]).integers, expected)
        start = time.perf_counter()
        simulation.run(flat[:images])
        result[f"{mode}_ms_per_image"] = (time.perf_counter() - start) / images * 1e3
        start = time.perf_counter()
        for _ in simulation.batches(np.tile(flat[:images], (2, 1)), 2, images // 4):
            pass
        result[f"{mode}_ms_per_image_two_cores"] = (time.perf_counter() - start) / images / 2 * 1e3
    return result


def stock(network: str, folder: Path) -> dict[str, float]:
    """The same layers through stock hls4ml: its Keras-like layer list, since its ONNX parser refuses our operations."""
    import hls4ml
    from hls4ml.model import ModelGraph

    layers = stock_layers(integer_graph(network))
    config = hls4ml.utils.config.create_config(
        output_dir=str(folder / "stock"), project_name="bench", backend="Vitis", io_type="io_stream"
    )
    config["HLSConfig"] = {"Model": {"Precision": "ap_fixed<24,20>", "ReuseFactor": 1, "Strategy": "Resource"}}
    start = time.perf_counter()
    model = ModelGraph.from_layer_list(config, layers)
    model.write()
    result = {"convert_s": time.perf_counter() - start}
    start = time.perf_counter()
    model.compile()
    result["compile_s"] = time.perf_counter() - start
    x = np.random.default_rng(0).integers(0, 256, (3, *layers[0]["input_shape"])).astype(np.float32)
    model.predict(x[:1])
    start = time.perf_counter()
    model.predict(x)
    result["ms_per_image"] = (time.perf_counter() - start) / len(x) * 1e3
    return result


def stock_layers(graph: Any) -> list[dict[str, Any]]:
    """Convolutions with ReLU in place of thresholds: the multiply-adds and streams of the network, in stock layers."""
    from hw.graph import Network
    from hw.layers import Add, Conv, Dense, GlobalSum, MaxPool, Threshold
    from hw.layers import Flatten as FlattenLayer

    network = Network(graph)
    c, h, w = network.input.shape
    layers: list[dict[str, Any]] = [{"class_name": "InputLayer", "name": "x0", "input_shape": [h, w, c]}]
    names = {network.input.name: "x0"}
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


def in_child(step: Callable[[str, Path], dict[str, float]], network: str, folder: Path) -> dict[str, Any]:
    """Runs `step` in a process of its own; adds the peak memory of it and its children (the compiler)."""
    queue: Any = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(step, network, folder, queue))
    process.start()
    process.join()
    return queue.get(timeout=5) if process.exitcode == 0 else {"error": f"exit code {process.exitcode}"}


def _child(step: Callable[[str, Path], dict[str, float]], network: str, folder: Path, queue: Any) -> None:
    result: dict[str, Any] = step(network, folder)
    peak = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    queue.put({**result, "peak_python_mb": peak[0], "peak_compiler_mb": peak[1]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=["cnn", "resnet20"], default="resnet20")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--skip-stock", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        results = {"network": options.network, "crq": in_child(crq, options.network, folder)}
        if not options.skip_stock:
            results["stock"] = in_child(stock, options.network, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("stock", "crq"):
        for key, value in results.get(name, {}).items():
            print(f"{name:6} {key:28} {value if isinstance(value, str) else round(value, 2)}")
    if "ms_per_image" in results.get("stock", {}):
        ours, theirs = results["crq"], results["stock"]
        for mode in ("fast", "ap"):
            print(f"ratio  {mode}: {theirs['ms_per_image'] / ours[f'{mode}_ms_per_image']:.1f}x per image on one core, "
                  f"compile {theirs['compile_s'] / ours[f'{mode}_compile_s']:.1f}x")  # fmt: skip
        print(f"second core, fast: {ours['fast_ms_per_image'] / ours['fast_ms_per_image_two_cores']:.2f}x")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
