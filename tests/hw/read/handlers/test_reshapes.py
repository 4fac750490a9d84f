@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_flatten_in_disguise_and_opsets(opset: int, tmp_path) -> None:
    """Shape → Gather → Concat → Reshape, as torch writes x.view(x.size(0), -1)."""
    unsqueeze = node("Unsqueeze", "n", "n1", axes=[0]) if opset < 13 else node("Unsqueeze", "n axis", "n1")
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        node("Shape", "q", "s"),
        node("Gather", "s index", "n", axis=0),
        unsqueeze,
        node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "q target", "fl"),
        node("Transpose", "ft", "ftt", perm=[1, 0]),
        node("MatMul", "fl ftt", "y", "fc"),
    ]
    constants = base() | {
        "ft": np.random.default_rng(3).integers(-1, 2, (3, 180)).astype(np.float32),
        "index": np.array(0),
        "rest": np.array([-1]),
        "axis": np.array([0]),
    }
    constants = {k: v for k, v in constants.items() if k != "axis" or opset >= 13}
    proto = graph_of(nodes, constants, opset=opset)
    assert_equal_to_file(proto, tmp_path)
