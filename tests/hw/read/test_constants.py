def test_float_types_that_numpy_lacks_keep_their_values() -> None:
    tensor = helper.make_tensor("w", TensorProto.BFLOAT16, [3], [0.5, 1.5, -1.0])
    assert from_tensor("w", tensor).value.tolist() == [0.5, 1.5, -1.0]
    tensor = helper.make_tensor("w", TensorProto.UINT4, [3], [0, 15, 7])
    assert from_tensor("w", tensor).value.tolist() == [0, 15, 7]


def test_text_is_not_folded() -> None:
    with pytest.raises(HwError, match=r"Cast of text.*\[unsupported-op\]"):
        fold(node("Cast", "a", "y", to=8), [Constant(np.ones(3))], 21, Budget())
