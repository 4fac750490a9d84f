@pytest.mark.parametrize(
    ("inputs", "attributes", "opset"),
    [
        ("c low high", {}, 13),
        ("c low high", {}, 11),
        ("c", {"min": 0.25, "max": 1.5}, 9),
    ],
)
def test_clip_before_a_quantizer(inputs: str, attributes: dict, opset: int, tmp_path) -> None:
    """Bounds off the quantizer's grid, as ReLU6's are, at both ends of its range."""
    nodes = [*HEAD, node("Clip", inputs, "r", **attributes), quant("r", "q", "q1"), *TAIL]
    bounds = {"low": np.float32(0.25), "high": np.float32(1.5)} if not attributes else {}
    graph = assert_equal_to_file(graph_of(nodes, base() | bounds, opset=opset), tmp_path)
    threshold = Network(graph)["q1"]
    assert (int(threshold.output.lo.min()), int(threshold.output.hi.max())) == (1, 5)  # rint(0.25 / 0.31), 1.5 / 0.31


def test_clip_with_one_bound(tmp_path) -> None:
    nodes = [*HEAD, helper.make_node("Clip", ["c", "", "high"], ["r"]), quant("r", "q", "q1", signed=1), *TAIL]
    graph = read_qonnx(graph_of(nodes, base() | {"high": np.float32(1)}))
    both = [*HEAD, node("Clip", "c low high", "r"), quant("r", "q", "q1", signed=1), *TAIL]
    same = read_qonnx(graph_of(both, base() | {"low": np.float32(-1e30), "high": np.float32(1)}))
    assert graph.graph.SerializeToString(deterministic=True) == same.graph.SerializeToString(deterministic=True)
    assert int(Network(graph)["q1"].output.hi.max()) == 3


def test_clip_that_is_empty_is_refused() -> None:
    nodes = [*HEAD, node("Clip", "c high low", "r", "clip"), quant("r", "y", "q1")]
    with pytest.raises(HwError, match=r"'clip'.*clip to \[1.0, -1.0\].*\[malformed\]"):
        read_qonnx(graph_of(nodes, base() | {"low": np.float32(-1), "high": np.float32(1)}))


@pytest.mark.parametrize(
    ("inputs", "attributes", "opset"),
    [("r", {"ratio": 0.3}, 9), ("r ratio", {}, 13), ("r ratio training", {}, 13)],
)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_dropout_does_nothing(place: str, inputs: str, attributes: dict, opset: int) -> None:
    constants = {"ratio": np.float32(0.3), "training": np.array(False)}
    used = {k: v for k, v in constants.items() if k in inputs.split()}
    if place == "behind":
        middle = [quant("c", "r", "q1"), node("Dropout", inputs, "q", "drop", **attributes)]
    else:
        middle = [node("Relu", "c", "r"), node("Dropout", inputs, "d", "drop", **attributes), quant("d", "q", "q1")]
    plain = [quant("c", "q", "q1")] if place == "behind" else [node("Relu", "c", "r"), quant("r", "q", "q1")]
    with_dropout = read_qonnx(graph_of([*HEAD, *middle, *TAIL], base() | used, opset=opset))
    without = read_qonnx(graph_of([*HEAD, *plain, *TAIL], base(), opset=opset))
    assert [n.op_type for n in with_dropout.graph.node] == [n.op_type for n in without.graph.node]
    x = codes(without, 20)
    np.testing.assert_array_equal(run(with_dropout, x), run(without, x))


def test_dropout_in_training_mode_is_refused() -> None:
    nodes = [*HEAD, quant("c", "q", "q1"), node("Dropout", "q ratio training", "y", "drop")]
    constants = base() | {"ratio": np.float32(0.3), "training": np.array(True)}
    with pytest.raises(HwError, match=r"'drop'.*training mode.*\[unsupported-op\]"):
        read_qonnx(graph_of(nodes, constants))


def test_spelled_out_batch_norm_and_alpha_in_the_weights(tmp_path) -> None:
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Sub", "c b", "c1"),
        node("Div", "c1 v", "c2"),
        node("Mul", "g c2", "c3"),
        node("Add", "c3 b", "c4"),
        node("Relu", "c4", "r"),
        quant("r", "q", "q1"),
        *TAIL,
    ]
    graph = assert_equal_to_file(graph_of(nodes, base()), tmp_path)
    assert Network(graph)["fc"].weight_type == "TERNARY"


def test_preprocessing_before_the_first_quantizer_is_recorded() -> None:
    nodes = [
        node("Mul", "x two", "x1"),
        node("Sub", "x1 one", "x2"),
        quant("x2", "xq", "qi", signed=1),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        *TAIL,
    ]
    proto = graph_of(nodes, {**base(), "two": np.float32(2), "one": np.float32(1)})
    graph = read_qonnx(proto)
    assert graph.get_metadata_prop("crq.input.preprocessing") == '[["Mul", 2.0], ["Sub", 1.0]]'
    x = codes(graph, 20)
    values = evaluate(proto, (x * np.float64(np.float32(0.07)) + 1) / 2)
    found = run(graph, x) * Network(graph).output_scale.astype(np.float64)
    np.testing.assert_allclose(found, values["y"], rtol=1e-5)
