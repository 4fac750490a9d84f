def test_gemm_scales_its_bias_in_float64(tmp_path: Path) -> None:
    """5 · 0.1f is 0.5 only in float32: there the quantizer's ties would round the other way."""
    dense = {"wg": np.random.default_rng(2).integers(-1, 2, (6, 4)), "bg": np.full(4, 0.1), "q1_s": 1, "qi_s": 1}
    constants = base() | {k: np.asarray(v, np.float32) for k, v in dense.items()}
    nodes = [quant("x", "xq", "qi", signed=1), node("Gemm", "xq wg bg", "m", "gemm", beta=5.0)]
    assert_equal_to_file(graph_of([*nodes, quant("m", "y", "q1", signed=1)], constants, shape=(1, 6)), tmp_path)


def test_a_kernel_shape_that_contradicts_the_weights_is_refused() -> None:
    nodes = [IN, node("Conv", "xq w", "c", "conv", kernel_shape=[5, 5]), *ACT, *TAIL]
    with pytest.raises(HwError, match=r"kernel_shape \[5, 5\] with weights of shape \(5, 2, 3, 3\).*\[malformed\]"):
        read_qonnx(graph_of(nodes, base()))
