"""Recipes: what they accept, and how they name what they do not."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq import models
from crq.convert.config import TernaryConfig
from crq.errors import CrqError
from crq.train import recipe, sections
from crq.train.budget import within
from tests.support.recipes import values

TEXT = """
name = "toy"
[data]
name = "digits"
[network]
name = "digits-cnn"
[network.options]
width = 4
[ternary]
act_bits = 3
[ternary.integer]
first = 8
[pretrain]
epochs = 2
[retrain]
epochs = 1
lam = 0.5
[finetune]
epochs = 1
"""


def load(tmp_path, text: str) -> recipe.Recipe:
    (tmp_path / "r.toml").write_text(text)
    return recipe.load(tmp_path / "r.toml")


def test_values_and_defaults(tmp_path) -> None:
    loaded = load(tmp_path, TEXT)
    assert loaded.network.options == {"width": 4}
    assert loaded.ternary.integer == {"first": 8}
    assert loaded.ternary.method == "ste"
    assert loaded.retrain.lam == 0.5
    assert loaded.finetune.lam is None


def test_written_recipe_reads_back_the_same(tmp_path) -> None:
    loaded = load(tmp_path, TEXT.replace('"toy"', '"toy 2.0+a_b-c"'))
    loaded.save(tmp_path / "again.toml")
    assert recipe.load(tmp_path / "again.toml") == loaded
    assert not list(tmp_path.glob(".*"))


def test_float_activations_can_be_written(tmp_path) -> None:
    loaded = load(tmp_path, TEXT.replace("act_bits = 3", 'act_bits = "float"'))
    assert loaded.ternary.act_bits is None
    loaded.save(tmp_path / "again.toml")
    assert recipe.load(tmp_path / "again.toml") == loaded


@pytest.mark.parametrize("name", recipe.built_in())
def test_built_in_recipes_name_known_networks_and_survive_writing(name: str, tmp_path) -> None:
    loaded = recipe.load(name)
    assert loaded.network.name in models.names()
    loaded.save(tmp_path / "r.toml")
    assert recipe.load(tmp_path / "r.toml") == loaded


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lam = 0.5", "lamda = 0.5", r"unknown key 'retrain\.lamda' \(did you mean 'lam'\?\)"),
        ("act_bits = 3", "act_bit = 3", r"unknown key 'ternary\.act_bit' \(did you mean 'act_bits'\?\)"),
        (
            "[finetune]",
            "[fine_tune]",
            r"key 'finetune' is missing; unknown key 'fine_tune' \(did you mean 'finetune'\?\)",
        ),
        ("epochs = 2", 'epochs = "two"', r"key 'pretrain\.epochs': .*integer.*got 'two'"),
        ("epochs = 2", "epochs = -1", r"key 'pretrain\.epochs': .*greater than or equal to 0"),
        ("act_bits = 3", "act_bits = 12", "r.toml: ternary: act_bits must be an integer from 1 to 8, not 12$"),
        ("[finetune]", "[finetune]\ngradual = true", r"'finetune\.gradual': .* gradual = \{ by = …, until = … \}, got"),
        ("act_bits = 3", 'method = "tnw"', r"unknown method 'tnw' \(did you mean 'twn'\?\)"),
        ('name = "toy"', "name = toy", "not valid TOML"),
        ("epochs = 2", 'epochs = 2\noptimizer = "lion"', r"key 'pretrain\.optimizer'.*'sgd'"),
        ("lam = 0.5", "lam = inf", r"key 'retrain\.lam': .*finite number"),
        ("lam = 0.5", "lam = 1e300", r"key 'retrain\.lam': .*less than or equal to 1000000"),
        ("lam = 0.5", "lr = 1e300", r"key 'retrain\.lr': .*less than or equal to 1000"),
        ("[data]", "threads = 100000\n[data]", r"key 'threads': .*less than or equal to 1024"),
        ("[data]", "calibration = 1\n[data]", r"key 'calibration': .*greater than or equal to 2"),
        ("[data]", "seed = 9223372036854775808\n[data]", r"key 'seed': .*less than 9223372036854775808"),
    ],
)
def test_errors_name_the_file_and_the_key(tmp_path, old: str, new: str, message: str) -> None:
    with pytest.raises(CrqError, match=message) as caught:
        load(tmp_path, TEXT.replace(old, new))
    assert "r.toml" in str(caught.value)


def test_regularizers(tmp_path) -> None:
    section = '[retrain.regularizer]\nname = "margin"\nlam = 0.01\n[finetune]'
    loaded = load(tmp_path, TEXT.replace("[finetune]", section))
    assert loaded.retrain.regularizer == sections.Regularizer(name="margin", lam=0.01)
    assert loaded.finetune.regularizer is None
    loaded.save(tmp_path / "again.toml")
    assert recipe.load(tmp_path / "again.toml") == loaded
    for old, new, message in (
        ("margin", "margins", r"key 'retrain\.regularizer\.name': .* \(did you mean 'margin'\?\)"),
        ("lam =", "lamda =", r"unknown key 'retrain\.regularizer\.lamda' \(did you mean 'lam'\?\)"),
        ("0.01", "-1", r"key 'retrain\.regularizer\.lam': .*greater than 0"),
    ):
        with pytest.raises(CrqError, match=message):
            load(tmp_path, TEXT.replace("[finetune]", section.replace(old, new)))


def test_a_file_that_is_no_text_is_named(tmp_path) -> None:
    (tmp_path / "r.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CrqError, match=r"r\.toml is not UTF-8 text"):
        recipe.load(tmp_path / "r.toml")


ANY_TEXT = st.text() | st.text(st.characters(max_codepoint=160))
ANY_VALUE = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT, st.dictionaries(ANY_TEXT, ANY_VALUE, max_size=4), st.dictionaries(ANY_TEXT, st.integers(2, 8)))
def test_any_text_and_key_survive_writing(root: str, options: dict, integer: dict) -> None:
    values = tomllib.loads(TEXT)
    values["data"]["root"], values["network"]["options"], values["ternary"]["integer"] = root, options, integer
    loaded = recipe.parse(values)
    assert recipe.parse(tomllib.loads(loaded.to_toml())) == loaded


@pytest.mark.parametrize(
    ("ternary", "given"),
    [
        ({}, False), ({"input_bits": 6}, False), ({"input_scale": 2**-8}, True), ({"input_signed": False}, True),
        ({"input_signed": True, "input_scale": 0.5}, True), (TernaryConfig(), False),
        (TernaryConfig(input_scale=0.5), True),
    ],
)  # fmt: skip
def test_a_grid_that_equals_the_default_is_given_all_the_same(tmp_path, ternary: object, given: bool) -> None:
    made = recipe.parse(values(ternary=ternary))
    made.save(tmp_path / "r.toml")
    spellings = (made, recipe.load(tmp_path / "r.toml"), recipe.parse(made.model_dump()), within(made, 3))
    assert [found.gives_grid for found in spellings] == [given] * 4
    assert recipe.Recipe.model_validate(made).gives_grid is given
    assert len({repr(found.ternary) for found in spellings}) == 1
    assert spellings[1] == spellings[2] == made


def test_unknown_recipe_lists_the_built_in_ones() -> None:
    with pytest.raises(CrqError, match=r"no recipe 'digit' \(did you mean 'digits'\?\)"):
        recipe.load("digit")
    with pytest.raises(CrqError, match="cannot be read"):
        recipe.load("absent.toml")


HARDWARE = """
[hardware]
part = "PYNQ-Z2"
target_latency = 50.0
[hardware.folding]
conv1 = [4, 9]
[hardware.weight_rom]
fc = "bram"
"""


def test_hardware_goes_to_the_build_and_the_command_line_wins(tmp_path) -> None:
    loaded = load(tmp_path, TEXT + HARDWARE)
    loaded.save(tmp_path / "again.toml")
    assert recipe.load(tmp_path / "again.toml") == loaded
    options = loaded.hardware.with_given({"part": None, "io_type": None})
    assert options.part == "PYNQ-Z2"
    assert options.target_latency == 50
    assert options.folding == {"conv1": (4, 9)}
    assert options.weight_rom == {"fc": "bram"}
    wished = loaded.hardware.with_given({"best_fit": True, "clock_period": 4.0})
    assert (wished.target_latency, wished.best_fit, wished.clock_period) == (None, True, 4.0)


def test_hardware_is_no_part_of_the_training(tmp_path) -> None:
    assert load(tmp_path, TEXT + HARDWARE).training == load(tmp_path, TEXT).training


def test_wrong_hardware_is_named(tmp_path) -> None:
    with pytest.raises(CrqError, match=r"unknown key 'hardware.target_rate'.*target_fps"):
        load(tmp_path, TEXT + "[hardware]\ntarget_rate = 3\n")
    with pytest.raises(CrqError, match=r"hardware.weight_rom.fc.*'lut' or 'bram'"):
        load(tmp_path, TEXT + '[hardware.weight_rom]\nfc = "flash"\n')


@pytest.mark.parametrize("name", ["/abs/x", "../../x", "..", "a/b", "", ".hidden", "-o", "a\\b", "a" * 101, "a\0b"])
def test_a_name_that_is_no_plain_name_of_a_file_is_refused(name: str) -> None:
    """Files are named after it, in the output folder: before training, not after."""
    given = recipe.load("digits").model_dump()
    with pytest.raises(CrqError, match="key 'name': .*files are named after it"):
        recipe.parse({**given, "name": name})
    assert recipe.parse({**given, "name": "my net-2.0"}).name == "my net-2.0"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"retrain__lam": 0.1, "retrain__dose": 1.0}, "retrain: lam and dose both say how strong the penalty is"),
        ({"pretrain__nesterov": True, "pretrain__momentum": 0.0}, "pretrain: nesterov is for sgd with momentum"),
        ({"finetune__nesterov": True, "finetune__optimizer": "adam"}, "finetune: nesterov is for sgd with momentum"),
        ({"pretrain__average": 0.9, "pretrain__patience": 3}, "pretrain: average and patience both say which weights"),
        ({"pretrain__sizes": [4, 8], "pretrain__patience": 3}, "pretrain: patience compares epochs, which sizes makes"),
        (
            {"finetune__sizes": [4, 8], "data__target": "input", "loss": "mse"},
            "finetune.sizes: smaller images are other",
        ),
        ({"pretrain__sizes": [2, 8]}, "key .pretrain.sizes.: Input should be greater than or equal to 4"),
        ({"loss": "mse", "finetune__distill": {}}, r'finetune\.distill is for loss = "cross_entropy", not for .mse'),
        ({"data__target": "input", "loss": "mse", "pretrain__mixup": 0.2}, r"pretrain\.mixup mixes labels"),
        ({"pretrain__distill": {}}, r"pretrain\.distill: the float network is the teacher"),
    ],
)
def test_keys_that_do_not_go_together(changes: dict, message: str) -> None:
    with pytest.raises(CrqError, match="recipe: " + message) as caught:
        recipe.parse(values(**changes))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("key", ["lam", "dose", "target"])
def test_penalties_that_the_method_lacks_are_refused(key: str) -> None:
    own = values(ternary={"method": "ste"}, **{f"finetune__{key}": 0.1})
    with pytest.raises(CrqError, match=rf'finetune.{key} is of a penalty that method ste does not .* method = "crq\+"'):
        recipe.check_penalties(recipe.parse(own), "r.toml")
    recipe.check_penalties(recipe.parse({**own, "ternary": {"method": "crq+"}}), "r.toml")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"finetune__warm": True}, "finetune.warm"),
        ({"finetune__lam_schedule": "up"}, "finetune.lam_schedule"),
        ({"finetune__lam_start": 0.5}, "finetune.lam_start"),
        ({"retrain__lam_start": 0.5, "retrain__regularizer": {"name": "margin", "lam": 0.1}}, "retrain.lam"),
    ],
)
def test_penalties_that_would_do_nothing_are_refused_or_left_out(changes: dict, key: str) -> None:
    made = recipe.parse(values(ternary={"method": "ste"}, retrain__epochs=1, **changes))
    with pytest.raises(CrqError, match=f"recipe: {key} is of a penalty that method ste does not have there"):
        recipe.check_penalties(made)
    plain = recipe.without_idle_penalties(made)
    recipe.check_penalties(plain)
    assert (plain.pretrain, plain.retrain.regularizer) == (made.pretrain, made.retrain.regularizer)
    other = recipe.parse(values(ternary={"method": "crq+"}, retrain__epochs=1, **changes))
    assert recipe.without_idle_penalties(other) == other
