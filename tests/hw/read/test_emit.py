def test_many_large_layers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "MAX_STORED", 1000)
    constants = {"d0_s": np.float32(1), "zero": np.float32(0), "bits": np.float32(4)}
    nodes = [quant("x", "d0", "d0"), *(node("Concat", f"d{i} d{i}", f"d{i + 1}", f"cat{i}", axis=1) for i in range(9))]
    with pytest.raises(HwError, match=r"'cat6'.*graph holds.*\[too-large\]"):
        read_qonnx(graph_of(nodes, constants, output="d9"))


def test_sums_beyond_the_storage_are_refused() -> None:
    nodes = [quant("x", "xq", "qi", "b8"), node("MatMul", "xq wl", "y", "big")]
    constants = base() | {"b8": np.float32(8), "wl": np.full((1000, 1), 127, np.float32)}
    constants["wl"][0] = 126  # not ternary
    with pytest.raises(HwError, match=r"'big'.*\[range\]"):
        read_qonnx(graph_of(nodes, constants, shape=(1, 1000)))
