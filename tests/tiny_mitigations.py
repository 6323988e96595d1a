"""Studies of mitigations that take seconds: kernel densities in place of networks."""

import tomllib
from importlib.resources import files

import numpy as np
from sklearn.neighbors import KernelDensity

from byrote.studies.audit_kind import MitigationStudy


class Kernel(KernelDensity):
    """A kernel density that can be narrow, and so memorize, of records that it sees with noise.

    It may say things of its training.
    """

    def __init__(
        self, bandwidth=1.0, noise=0.0, epochs=1, says=None, validation=None, random_state=None
    ):
        super().__init__(bandwidth=bandwidth)
        self.noise = noise
        self.epochs = epochs
        self.random_state = random_state
        self.says = says
        self.validation = validation

    def fit(self, X, y=None):
        self.facts_ = dict(self.says or {})
        if self.validation is not None:
            self.facts_["stopped"] = {"epoch": 1, "epochs": self.epochs, "loss": 0.0}
        generator = np.random.default_rng(self.random_state)
        return super().fit(X + self.noise * generator.normal(size=X.shape))


PRIVACY = {"privacy": {"epsilon": None, "delta": 1e-5, "label": "vacuous: no noise"}}
RUNS = [
    {"name": "plain", "title": "plain"},
    {"name": "again", "title": "plain, other seeds", "seed": 1},
    {"name": "wide", "title": "wide", "model": {"bandwidth": 1.0}},
    {"name": "validated", "title": "validated", "validation": True},
    {"name": "dp", "title": "private", "model": {"says": PRIVACY}},
    {
        "name": "pruned",
        "title": "pruned",
        "pruned": {"after": "plain", "top": 0.1},
        "baseline": "again",
    },
]
COMMON = {
    "kind": "tiny_mitigations:Kernel",
    "probes": 30,
    "fits": 4,
    "epochs": 2,
    "model": {"bandwidth": 0.6, "noise": 0.15},
}


def tiny(name, rounds=2, replications=2):
    """A study of mitigations whose small scale is tiny: 120 digits, 4 fits."""
    declared = tomllib.loads(files("byrote.studies").joinpath(f"{name}.toml").read_text("utf-8"))
    small = {"minutes": 1, "records": 120, "validation": 20}
    if name == "onion":
        declared["pruning"] = {"rounds": rounds, "top": 0.1}
        small["replications"] = replications
        declared["run"][0]["model"] = {"bandwidth": 1.0, "noise": 0.5}
    else:
        declared["run"] = RUNS
    declared |= {"common": COMMON, "small": small}
    return MitigationStudy(name=name, **declared)
