def test_a_mean_over_everything_is_no_global_pool() -> None:
    with pytest.raises(HwError, match=r"mean over axes \[\].*\[unsupported-op\]"):
        read_qonnx(graph_of([quant("x", "xq", "qi"), node("ReduceMean", "xq", "y")], base(), shape=(1, 6)))


def test_unused_optional_outputs_and_folded_dequantization(tmp_path: Path) -> None:
    constants = base() | {"codes": np.random.default_rng(4).integers(-1, 2, (5, 2, 3, 3)).astype(np.int8)}
    pool = helper.make_node("MaxPool", ["q2"], ["q", ""], "pool", kernel_shape=[2, 2])
    nodes = [IN, node("DequantizeLinear", "codes q1_s", "wd"), conv("xq wd", "c", "conv"), node("Relu", "c", "r")]
    graph = read_qonnx(graph_of([*nodes, quant("r", "q2", "q1"), pool, *TAIL], constants))
    assert Network(graph)["conv"].multiplier_free
