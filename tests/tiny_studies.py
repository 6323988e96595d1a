"""The studies of exposure as declared, but for their sizes: seconds in all."""

import tomllib
from importlib.resources import files

from byrote.studies.kinds import ExposureStudy

SETTINGS = {
    "fits": 2,
    "within": 0.9,
    "controls": 3,
    "references": 200,
    "method": "search",
    "max_queries": 50,
}
MODEL = {"hidden": 12, "layers": 1, "batch_size": 8, "window": 40, "learning_rate": 0.01}
OWN = {  # what keeps a study's own point
    "skew-normal-fit": {
        "patterns": ["the random number is {digits:9}", "the secret code is {digits:4}"],
        "references": 1000,
        "canaries_per_level": 1,
    }
}


def tiny(name, runs=2):
    """A study of exposure whose small scale is tiny; of its runs the first few."""
    text = files("byrote.studies").joinpath(f"{name}.toml").read_text("utf-8")
    declared = tomllib.loads(text)
    declared["run"] = declared["run"][:runs]
    if name == "exposure-by-insertions":  # each canary is completed from each of its characters
        for run in declared["run"]:
            run["insertions"] = run["insertions"][::2]
    declared["small"] = {
        "minutes": 1,
        "characters": 8_000,
        "epochs_at_most": 2,
        "settings": {**SETTINGS, **OWN.get(name, {})},
        "model": MODEL,
    }
    return ExposureStudy(name=name, **declared)
