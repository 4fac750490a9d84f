"""Files in other people's runtimes: the frozen model's logits, and no trace on the model that is run."""

import numpy as np
import pytest

from crq import export
from crq.export.runtime import run_onnxruntime, run_qonnx
from tests.support.nets import Plain, frozen, images


@pytest.mark.parametrize("run", [run_onnxruntime, run_qonnx])
def test_any_number_of_images_gives_the_same_logits(run, tmp_path) -> None:
    model = frozen(Plain)
    proto = export.to_qonnx(model, tmp_path / "m.onnx")
    before = proto.SerializeToString(deterministic=True)
    x = images(Plain, 7)
    expected, values = model(x).numpy(), (x.float() / 256).numpy()
    np.testing.assert_array_equal(run(proto, values), expected)
    np.testing.assert_array_equal(np.concatenate([run(proto, values[i : i + 1]) for i in range(3)]), expected[:3])
    assert proto.SerializeToString(deterministic=True) == before
