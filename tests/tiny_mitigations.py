"""Studies of mitigations that take seconds: kernel densities in place of networks."""

import tomllib
from importlib.resources import files

from sklearn.neighbors import KernelDensity

from byrote.studies.mitigations.declaration import MitigationStudy


class Kernel(KernelDensity):
    """A kernel density that can be narrow, and so memorize; it may say things of its training."""

    def __init__(self, bandwidth=1.0, epochs=1, says=None, validation=None):
        super().__init__(bandwidth=bandwidth)
        self.epochs = epochs
        self.says = says
        self.validation = validation

    def fit(self, X, y=None):
        self.facts_ = dict(self.says or {})
        if self.validation is not None:
            self.facts_["stopped"] = {"epoch": 1, "epochs": self.epochs, "loss": 0.0}
        return super().fit(X)


PRIVACY = {"privacy": {"epsilon": None, "delta": 1e-5, "label": "promises nothing: no noise"}}
CONFIGURATIONS = [
    {"name": "plain", "title": "plain"},
    {"name": "again", "title": "plain, other seeds", "seed": 1},
    {"name": "wide", "title": "wide", "model": {"bandwidth": 1.0}},
    {"name": "validated", "title": "validated", "validation": True},
    {"name": "dp", "title": "private", "model": {"says": PRIVACY}},
    {
        "name": "pruned",
        "title": "pruned",
        "pruned": {"after": "plain", "top": 0.1},
        "against": "again",
    },
]
COMMON = {
    "kind": "tiny_mitigations:Kernel",
    "probes": 30,
    "fits": 6,
    "epochs": 2,
    "model": {"bandwidth": 0.35},
}


def tiny(name):
    """A study of mitigations whose small scale is tiny: 120 digits, 6 fits."""
    declared = tomllib.loads(
        files("byrote.studies.mitigations").joinpath(f"{name}.toml").read_text("utf-8")
    )
    small = {"minutes": 1, "records": 120, "validation": 20}
    if name == "onion":
        declared["peeling"] = {"rounds": 2, "top": 0.1}
        small["replications"] = 2
    else:
        declared["configuration"] = CONFIGURATIONS
    declared |= {"common": COMMON, "small": small}
    return MitigationStudy(name=name, **declared)
