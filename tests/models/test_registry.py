"""Models by name, as the command line builds them."""

import importlib
import math
import sys

import pytest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from byrote import InvalidInput
from byrote.models import VAE, CharLSTM, Flow, LaplaceHistogram, contract
from byrote.models.registry import build, parse_settings

BUILT_IN = {
    "vae": VAE,
    "flow": Flow,
    "kde": KernelDensity,
    "gmm": GaussianMixture,
    "char-lstm": CharLSTM,
    "laplace-histogram": LaplaceHistogram,
}
EXACT = {"kde": {"leaf_size": 1_000_000_000}}  # scikit-learn's default loses small densities
OWN = """
from abc import ABC, abstractmethod

from sklearn.neighbors import KernelDensity


class Wide(KernelDensity):
    def __init__(self, width=2.0, *, depth=1):
        super().__init__()
        self.width, self.depth = width, depth


class Demanding(Wide):
    def __init__(self, width):
        super().__init__(width)


def factory(bandwidth=1.0):
    return KernelDensity(bandwidth=bandwidth)


constant = 3


class Abstract(ABC):
    @abstractmethod
    def fit(self, x): ...


class Quitting:
    def __init__(self):
        raise SystemExit(0)


class Unsigned:
    __signature__ = "none"


def __getattr__(name):
    raise OSError(name) if name == "Late" else AttributeError(name)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder that leaves no trace on the path or among the modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    importlib.invalidate_caches()
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(("name", "kind"), BUILT_IN.items())
def test_built_in_models(name, kind):
    model = build(name, {})
    assert type(model) is kind
    contract.check_model(model)
    assert model.get_params() == kind().get_params() | EXACT.get(name, {})


def test_settings_are_passed_on():
    model = build("vae", {"latent_dim": 3, "hidden": [64, 32], "redraw": True})
    assert (model.latent_dim, model.hidden, model.redraw) == (3, [64, 32], True)
    assert build("gmm", {"n_components": 4}).n_components == 4


def test_ones_own_class_is_found_in_the_working_folder(folder):
    (folder / "own_wide.py").write_text(OWN)
    model = build("own_wide:Wide", {"width": 5, "depth": 2})
    assert (type(model).__name__, model.width, model.depth) == ("Wide", 5, 2)
    assert build("own_wide:factory", {"bandwidth": 0.5}).bandwidth == 0.5


def test_a_file_in_the_working_folder_hides_nothing_installed(folder):
    (folder / "sklearn.py").write_text("1 / 0")
    (folder / "colorsys.py").write_text("1 / 0")
    assert type(build("kde", {})) is KernelDensity
    with pytest.raises(InvalidInput, match="colorsys has no class Wide"):
        build("colorsys:Wide", {})


def test_ones_own_class_is_found_in_a_package(folder):
    (folder / "own_package").mkdir()
    (folder / "own_package" / "__init__.py").touch()
    (folder / "own_package" / "models.py").write_text(OWN)
    assert type(build("own_package.models:Wide", {})).__name__ == "Wide"


def test_any_importable_class_will_do():
    assert type(build("sklearn.neighbors:KernelDensity", {})) is KernelDensity


REFUSED = {
    "name": (
        "vea",
        {},
        r"--model must be one of vae, flow, diffusion, kde, gmm, char-lstm, laplace-histogram,"
        r" hf:PATH, cmd:COMMAND or module:Class; got .vea., did",
    ),
    "far name": ("transformer", {}, "got 'transformer'$"),
    "empty name": ("", {}, "--model must be one of .* got ''"),
    "dots for a colon": ("own.Wide", {}, "or module:Class; got 'own.Wide'"),
    "setting": (
        "kde",
        {"bandwith": 1},
        r"--set bandwith is not a parameter of kde, did you mean bandwidth\? \(it has bandwidth, ",
    ),
    "far setting": ("kde", {"zzz": 1}, r"--set zzz is not a parameter of kde \(it has bandwidth, "),
    "second setting": ("vae", {"epochs": 1, "epoch": 1}, r"--set epoch .* did you mean epochs\?"),
    "own setting": ("own:Wide", {"widht": 1}, r"not a parameter of own:Wide, did you mean width\?"),
    "self": ("own:Wide", {"self": 1}, "--set self is not a parameter"),
    "class": ("own:Wild", {}, r"--model: own has no class Wild, did you mean Wide\?"),
    "far class": ("own:Zebra", {}, "--model: own has no class Zebra$"),
    "no class": ("own:", {}, "--model"),
    "constant": ("own:constant", {}, "--model: own has no class constant"),
    "module": (
        "nowhere_at_all:Wide",
        {},
        "--model: cannot import nowhere_at_all: .*No module named",
    ),
    "submodule": ("own.inner:Wide", {}, "--model: cannot import own.inner"),
    "its import": ("needs:Wide", {}, "--model: cannot import needs: .*named 'missing_one'"),
    "its syntax": ("broken:Wide", {}, "--model: cannot import broken"),
    "its error": ("raises:Wide", {}, "--model: cannot import raises"),
    "no module": (":Wide", {}, "--model"),
    "relative": (".own:Wide", {}, "--model"),
    "required setting": ("own:Demanding", {}, "width"),
    "abstract": ("own:Abstract", {}, "--model: own:Abstract cannot be made: TypeError"),
    "quits when made": ("own:Quitting", {}, "--model: own:Quitting cannot be made: SystemExit"),
    "quits when imported": ("quits:Wide", {}, "--model: cannot import quits: SystemExit"),
    "signature": ("own:Unsigned", {}, "--model: own:Unsigned must be a class with a signature"),
    "raises when asked for": ("own:Late", {}, "--model: cannot import own: OSError: Late"),
    "within a class": ("own:Wide.fit", {}, "--model: own has no class Wide.fit"),
}


@pytest.mark.parametrize(("name", "settings", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_is_refused(folder, name, settings, message):
    (folder / "own.py").write_text(OWN)
    (folder / "needs.py").write_text("import missing_one")
    (folder / "broken.py").write_text("class Wide(:")
    (folder / "raises.py").write_text("1 / 0")
    (folder / "quits.py").write_text("raise SystemExit(0)")
    with pytest.raises(InvalidInput, match=message):
        build(name, settings)


WORDS = {
    "epochs=3": 3,
    "rate=1e-3": 0.001,
    "low=-1": -1,
    "hidden=[64, 32]": [64, 32],
    "hidden=[]": [],
    "redraw=true": True,
    "redraw=True": True,
    "redraw=False": False,
    "seed=None": None,
    "seed=null": None,
    "kernel=tophat": "tophat",
    "kernel=yes": "yes",
    "device=cuda:0": "cuda:0",
    'kernel="3"': "3",
    "kernel=": "",
    "kernel= a b ": " a b ",
    "expression=a=b": "a=b",
    "options={}": {},
    "version=1.2.3": "1.2.3",
}


@pytest.mark.parametrize(("word", "value"), WORDS.items())
def test_settings_are_read_as_json_or_text(word, value):
    found = parse_settings([word])
    assert found == {word.partition("=")[0]: value}
    assert type(next(iter(found.values()))) is type(value)


def test_settings_keep_their_order_and_may_be_none():
    assert list(parse_settings(["b=1", "a=2", "c=3"])) == ["b", "a", "c"]
    assert parse_settings([]) == {}
    assert parse_settings(iter(["a=1"])) == {"a": 1}
    assert math.isnan(parse_settings(["a=NaN"])["a"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["epochs"], "--set must be name=value; got 'epochs'"),
        (["a=1", ""], "--set must be name=value; got ''"),
        (["=3"], "--set must be name=value; got '=3'"),
        (["a=1", "b=1", "a=2"], "--set a must be given once; got it twice"),
    ],
)
def test_bad_settings_are_refused(words, message):
    with pytest.raises(InvalidInput, match=message):
        parse_settings(words)
