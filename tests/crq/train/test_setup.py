"""What a run works with: what cannot be trained is refused before the first epoch; batches, seeds and λ."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from crq.errors import CrqError
from crq.train import data, recipe, sections
from crq.train.recipe import PHASES
from crq.train.setup import Setup
from crq.train.sources.values import ValueData
from crq.train.splits import load_split
from tests.support.recipes import digits, values


def setup(network=None, train=None, test=None, **changes) -> Setup:
    return Setup(recipe.parse(values(**changes)), network, train, test)


def test_unlike_splits_are_refused() -> None:
    small = data.ImageData(digits().images[:, :, :6, :6], digits().labels, digits().classes, "small")
    color = data.ImageData(digits().images.repeat(1, 3, 1, 1), digits().labels, digits().classes, "color")
    for test, shape in ((small, r"\(1, 6, 6\)"), (color, r"\(3, 8, 8\)")):
        with pytest.raises(CrqError, match=rf"have shape \(1, 8, 8\) in the training split and {shape} in the test"):
            setup(train=digits(), test=test)
    with pytest.raises(CrqError, match="test split's classes 0, .*: 7, 8, 9 is not among them"):
        setup(train=digits(classes=7), test=digits())
    setup(train=digits(), test=digits(classes=7))


def test_outputs_that_are_no_logits_are_refused() -> None:
    few = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 7))
    with pytest.raises(CrqError, match=r"output for one sample has shape \(7,\); expected 10 logits"):
        setup(few)
    planes = torch.nn.Sequential(torch.nn.Conv2d(1, 10, 8))
    with pytest.raises(CrqError, match=r"for one sample has shape \(10, 1, 1\); expected 10 logits.*return them as"):
        setup(planes)


def test_shapes_that_would_not_freeze_are_refused_before_training() -> None:
    pool = torch.nn.MaxPool2d(3, 2, ceil_mode=True)
    edge = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), pool, torch.nn.Flatten(), torch.nn.Linear(32, 10))
    with pytest.raises(CrqError, match="layer '1': its windows do not fill 8 pixels"):
        setup(edge)
    rows = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 1), torch.nn.Linear(8, 8), torch.nn.Flatten(), torch.nn.Linear(128, 10)
    )
    with pytest.raises(CrqError, match=r"layer '1' \(Linear\) reads .*transpose it first"):
        setup(rows)
    setup(edge, ternary={"act_bits": None})  # training alone follows PyTorch


class Shared(torch.nn.Module):
    """A layer that all points share; turned: of (N, features, points)."""

    def __init__(self, turned: bool = False) -> None:
        super().__init__()
        self.turned, self.fc1, self.fc2 = turned, torch.nn.Linear(4, 8), torch.nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.transpose(1, 2) if self.turned else x
        return self.fc2(torch.relu(self.fc1(x)).amax(1))


def cloud(*shape: int) -> ValueData:
    x = torch.randn(100, *shape, generator=torch.Generator().manual_seed(0))
    return ValueData(x, torch.arange(100) % 2, ("a", "b"), "cloud")


def test_points_are_not_standardized_in_place_of_features() -> None:
    plain, points, first = {"data": {"name": "digits"}}, cloud(7, 4), cloud(4, 7)
    message = r"takes \(7, 4\) as \(points, features\).*: give standardize = false in \[data\]"
    with pytest.raises(CrqError, match=message):
        setup(Shared(), points, points, **plain)
    assert not setup(Shared(), points, points, data={"name": "digits", "standardize": False}).steps
    assert len(setup(Shared(turned=True), first, first, **plain).steps[0][1]) == 4  # one for each feature
    assert len(setup(Shared(), cloud(1, 4), cloud(1, 4), **plain).steps) == 2  # one number for all


def test_what_a_later_phase_cannot_do_is_told_at_the_start() -> None:
    with pytest.raises(CrqError, match=r"1294 training samples do not fill one batch of finetune\.batch_size = 5000"):
        setup(finetune__batch_size=5000)
    rows = data.ImageData(digits().images[:, 0], digits().labels, digits().classes, "rows")
    with pytest.raises(CrqError, match="augment 'crop' is for images"):
        setup(torch.nn.Sequential(torch.nn.Conv1d(8, 10, 8), torch.nn.Flatten()), rows, rows)
    setup(finetune__batch_size=5000, finetune__epochs=0)
    setup(retrain__batch_size=5000, ternary={"method": "twn"})


def test_calibration_images_are_augmented_as_in_training() -> None:
    plain, crop = (next(iter(setup(data__augment=kind).calibration())) for kind in ("none", "crop"))
    assert torch.equal(plain[1], crop[1])
    assert plain[0].shape == crop[0].shape == (128, 1, 8, 8)
    assert not torch.equal(plain[0], crop[0])


def test_a_phase_may_change_images_otherwise() -> None:
    made = setup(data__augment="crop", finetune__augment="none")
    plain, crop = (setup(data__augment=kind) for kind in ("none", "crop"))
    for name, like in (("pretrain", crop), ("finetune", plain)):
        assert torch.equal(next(iter(made.batches(name)))[0], next(iter(like.batches(name)))[0])
    assert torch.equal(next(iter(made.calibration()))[0], next(iter(plain.calibration()))[0])
    with pytest.raises(CrqError, match=r"finetune\.augment': augment takes none, or some of crop"):
        setup(finetune__augment="rotate")


def test_held_out_images_are_a_part_of_the_training_split() -> None:
    made, whole = setup(), data.load("digits:train")
    assert made.held_out is not None
    rows = [bytes(x) for part in (made.data, made.held_out) for x in part.take(torch.arange(len(part))).numpy()]
    assert sorted(rows) == sorted(bytes(x) for x in whole.images.numpy())
    assert len(made.held_out) == 144
    assert setup(data__validation=0).held_out_batches() is None


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("crq", {}, [None, 0.05, None]),
        ("crq", {"retrain": {"epochs": 2}}, [None, 1e-3, None]),
        ("crq+", {}, [None, 0.05, 1e-2]),
        ("crq+", {"finetune__lam": 0.5}, [None, 0.05, 0.5]),
        ("twn", {}, [None, None, None]),
    ],
)
def test_lambda_acts_where_the_method_says(method: str, given: dict, expected: list) -> None:
    made = setup(ternary={"method": method}, **given)
    assert [made.lam(phase) for phase in PHASES] == expected


def test_a_penalty_needs_a_ternary_layer() -> None:
    integer = {"integer": {"*": 8}}
    with pytest.raises(CrqError, match=r"method crq pulls .* in \[retrain\], and ternary\.integer leaves none"):
        setup(ternary={"method": "crq", **integer}, retrain={"epochs": 1})
    setup(ternary={"method": "ste", **integer})
    setup(ternary={"method": "crq", "integer": {"first": 8}}, retrain={"epochs": 1})


def test_every_phase_of_every_seed_draws_its_own_numbers() -> None:
    seeds = [setup(seed=seed).seed(phase) for seed in (0, 1, 2) for phase in PHASES]
    assert len(set(seeds)) == 9


def test_the_network_follows_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    a = setup(seed=4).network.state_dict()
    torch.manual_seed(2)
    b, c = setup(seed=4).network.state_dict(), setup(seed=5).network.state_dict()
    assert all(torch.equal(value, b[name]) for name, value in a.items())
    assert not torch.equal(a["conv1.weight"], c["conv1.weight"])


def test_a_size_needs_a_folder() -> None:
    with pytest.raises(CrqError, match=r"data\.size needs data\.root"):
        load_split(sections.Data(name="x", size=32), "train")


def test_what_cannot_be_told_apart_is_refused() -> None:
    one = data.ImageData(digits().images, digits().labels * 0, ("a",), "one")
    with pytest.raises(CrqError, match="one has one class, a: there is nothing to tell apart"):
        setup(train=one, test=one)
    rows = [i for i, label in enumerate(digits().labels.tolist()) if label not in (3, 7)]
    gap = digits().subset(torch.tensor(rows))
    with pytest.raises(CrqError, match="some has no training sample.* of 2 of its 10 classes: 3, 7"):
        setup(train=gap, test=digits())
    with pytest.raises(CrqError, match=r"of 1 of its 11 classes: extra"):
        setup(train=data.ImageData(digits().images, digits().labels, (*digits().classes, "extra"), "x"), test=digits())
    setup(train=digits(), test=gap)  # a test split may lack a class


@pytest.mark.parametrize(("without", "split"), [("y_train", "training"), ("y_val", "validation"), ("y_test", "test")])
def test_classes_need_labels(tmp_path: Path, without: str, split: str) -> None:
    x, y = np.random.default_rng(0).normal(size=(80, 2)), np.arange(80) % 2
    arrays = {f"{name}_{part}": value for part in ("train", "val", "test") for name, value in (("x", x), ("y", y))}
    made = {"network": torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))}
    made |= {"data__name": f"{tmp_path}/d.npz", "data__augment": "none"}
    np.savez(tmp_path / "d.npz", **arrays)
    setup(**made)
    del arrays[without]
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(CrqError, match=rf"the {split} split of .*d\.npz has no labels; this loss compares"):
        setup(**made)


def test_a_network_that_normalizes_bytes_is_refused() -> None:
    class Normalizing(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer((x - 0.5) / 0.25)

    network = Normalizing(1, 1)
    network.layer = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    with pytest.raises(CrqError, match="the network normalizes its input, which a recipe leaves to its data section"):
        setup(network)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [("input_scale", 1.0, "0.00390625"), ("input_bits", 4, "8"), ("input_signed", True, "False")],
)
def test_bytes_have_one_input_grid(key: str, value: object, wanted: str) -> None:
    with pytest.raises(CrqError, match=rf"ternary\.{key} must be {wanted}: the images of digits are bytes"):
        setup(ternary={key: value})


def test_an_autoencoder_ignores_labels_that_are_no_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=rng.normal(size=(200, 6)), y=rng.normal(size=(200, 3)))
    network = torch.nn.Sequential(torch.nn.Linear(6, 3), torch.nn.ReLU(), torch.nn.Linear(3, 6))
    data_ = {"data__name": f"{tmp_path}/d.npz", "data__augment": "none", "data__target": "input"}
    made = setup(network, loss="mse", **data_)
    found = made.task.evaluate(network, made.test_batches())
    assert set(found) == {"mse", "r2"}
    np.savez(tmp_path / "d.npz", x=rng.normal(size=(200, 6)), y=np.arange(200) % 2)
    made = setup(network, loss="mse", **data_)
    assert set(made.task.evaluate(network, made.test_batches())) == {"mse", "r2", "auc"}


def test_an_autoencoder_may_give_its_input_in_its_shape(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=rng.normal(size=(200, 2, 8)), y=np.arange(200) % 2)
    network = torch.nn.Sequential(
        torch.nn.Conv1d(2, 3, 2, stride=2), torch.nn.ReLU(), torch.nn.ConvTranspose1d(3, 2, 2, stride=2)
    )
    given = {"loss": "mse", "data__name": f"{tmp_path}/d.npz", "data__augment": "none", "data__target": "input"}
    made = setup(network, **given)
    found = made.task.evaluate(network, made.test_batches())
    inputs = torch.cat([x for x, _ in made.test_batches()])
    with torch.no_grad():
        wanted = (network(inputs) - inputs).square().mean()
    assert found["mse"] == pytest.approx(float(wanted), rel=1e-5)
    with pytest.raises(CrqError, match=r"\(3, 4\); expected 16 values, the input again, or its shape \(2, 8\): return"):
        setup(network[:1], **given)


def test_a_grid_of_the_recipe_s_takes_the_chosen_one_s_place() -> None:
    rows = torch.utils.data.TensorDataset(torch.randn(200, 6), torch.randn(200, 2))
    network = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    grid = {"input_signed": False, "input_scale": 2**-8}
    for given in (grid, {"input_scale": 2**-8}):
        made = setup(network, rows, rows, loss="mse", data__augment="none", ternary=given)
        assert {key: getattr(made.ternary, key) for key in grid} == grid


def test_what_hardly_acts_is_doubted() -> None:
    assert not setup().doubts()
    found = setup(finetune__average=0.9999, finetune__epochs=2).doubts()
    assert re.search(r"finetune\.average = 0\.9999 ends \d+ steps with 100% .* take 0\.\d+ or less", " ".join(found))
    assert not setup(finetune__average=0.5, finetune__epochs=2).doubts()
    taught = {"distill": {"temperature": 4.0, "weight": 0.5}, "epochs": 1}
    found = setup(pretrain__epochs=0, finetune=taught).doubts()
    assert re.search(r"finetune\.distill learns from the network as it was given", found[0])
    assert not setup(finetune=taught).doubts()


def test_large_labels_are_doubted() -> None:
    x, network = torch.randn(200, 6), torch.nn.Linear(6, 2)
    for scale, told in ((1, 0), (5000, 1)):
        rows = torch.utils.data.TensorDataset(x, scale * torch.randn(200, 2))
        found = setup(network, rows, rows, loss="mse", data__augment="none").doubts()
        assert len(found) == told
        assert all("are learned as they are: bring them to about -1 to 1" in line for line in found)


def test_one_split_alone_needs_the_recipe_s_other() -> None:
    train = data.load("digits:train")
    assert len(setup(None, train).test) == len(data.load("digits:test"))
    with pytest.raises(CrqError, match="data was given and test was not, so it is the recipe's: unknown data 'mine'"):
        setup(None, train, data__name="mine")
    off = torch.utils.data.TensorDataset(torch.rand(4, 1, 8, 8), torch.arange(4))
    with pytest.raises(CrqError, match="^image 0 of data holds .* not on the input grid"):
        setup(None, off)


def test_splits_of_one_kind_of_numbers() -> None:
    x, labels = torch.randint(0, 256, (200, 64)), torch.arange(200) % 2
    rows, raw = (torch.utils.data.TensorDataset(given, labels) for given in (x, x.to(torch.uint8)))
    with pytest.raises(CrqError, match="data has samples of int64, and test of uint8: bytes are divided by 256"):
        setup(torch.nn.Linear(64, 2), rows, raw, data__augment="none")
    flags = x % 2
    flags[0] = 0
    small, bits = (torch.utils.data.TensorDataset(given, labels) for given in (flags.float(), flags.to(torch.uint8)))
    for pair in ((small, bits), (bits, small)):
        with pytest.raises(CrqError, match="data has samples of .*, and test of .*: bytes are divided by 256"):
            setup(torch.nn.Linear(64, 2), *pair, data__augment="none")
    double = torch.utils.data.TensorDataset(x.double(), labels)  # NumPy's usual kind beside torch's
    with pytest.raises(CrqError, match="data has samples of float64, and test of uint8"):
        setup(torch.nn.Linear(64, 2), double, raw, data__augment="none")
    single = torch.utils.data.TensorDataset(x.float(), labels)
    for pair in ((double, single), (single, double)):
        made = setup(torch.nn.Linear(64, 2), *pair, data__augment="none")
        assert torch.equal(made.test.take(torch.arange(200)), x.float())


def test_real_values_of_classes_are_taken_as_they_are() -> None:
    rows = torch.utils.data.TensorDataset(torch.randn(200, 6) * 9, torch.arange(200) % 2)
    made = setup(torch.nn.Linear(6, 2), rows, rows, data__augment="none")
    assert isinstance(made.data, ValueData)
    assert made.ternary.input_signed
    dark = torch.zeros(10, 1, 2, 3)  # these alone would pass for images
    test = torch.utils.data.TensorDataset(dark, torch.arange(10) % 2)
    maps = torch.utils.data.TensorDataset(rows.tensors[0].reshape(200, 1, 2, 3), rows.tensors[1])
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, (2, 3)), torch.nn.Flatten())
    assert isinstance(setup(network, maps, test, data__augment="none").test, ValueData)


def test_datasets_of_numbers_are_taken_as_they_are() -> None:
    rows = torch.utils.data.TensorDataset(torch.randn(200, 6), torch.randn(200, 2))
    network = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    made = setup(network, rows, rows, loss="mse", data__augment="none")
    assert (made.data.labels.shape, len(made.test)) == ((180, 2), 200)
    assert made.ternary.input_signed
    assert [kind for kind, _ in made.steps] == ["Sub", "Div"]
    with pytest.raises(CrqError, match=r"output for one sample has shape \(2,\); expected 6 values, the input again"):
        setup(network, rows, rows, loss="mse", data__augment="none", data__target="input")
    wide = torch.utils.data.TensorDataset(torch.randn(200, 6), torch.randn(200, 3))
    with pytest.raises(CrqError, match=r"has shape \(2,\); expected 3 numbers, as the labels of data have"):
        setup(network, wide, wide, loss="mse", data__augment="none")
