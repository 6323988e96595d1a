"""Models of scikit-learn whose ``score_samples`` is not exactly the log-density."""

from collections.abc import Iterator, Mapping
from typing import Any

_TREE_PARAMETERS = frozenset({"bandwidth", "kernel", "atol", "rtol", "leaf_size", "breadth_first"})
_VARIATIONAL_MIXTURE = "sklearn.mixture._bayesian_mixture.BayesianGaussianMixture"


def approximations(name: str, parameters: Mapping[str, Any], records: int) -> list[str]:
    """Describe, a sentence each, why log-densities of a model or of nested models are not exact.

    ``KernelDensity``, or any class with its parameters, sums over a tree by differences of bounds;
    a density much smaller than the largest possible one is lost in their rounding, unless the tree
    is a single leaf. ``BayesianGaussianMixture`` returns a variational bound.

    Parameters
    ----------
    name, parameters
        The model's class and its parameters as plain data, as in run.json.
    records
        Number of records, at least as many as any fit trains on.

    Examples
    --------
    >>> from sklearn.neighbors import KernelDensity
    >>> approximations("its.Name", KernelDensity(leaf_size=100).get_params(), 100)
    []
    >>> len(approximations("its.Name", KernelDensity(leaf_size=40).get_params(), 100))
    1
    """
    model = {"class": name, **parameters}
    reasons = (text for part in _nested(model) for text in _reasons(part, records))
    return list(dict.fromkeys(reasons))


def _nested(value: Any) -> Iterator[Mapping[str, Any]]:
    """The model and all nested models."""
    if isinstance(value, Mapping):
        yield value
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _nested(item)


def _reasons(model: Mapping[str, Any], records: int) -> Iterator[str]:
    name = str(model.get("class", "")).rpartition(".")[2]
    if model.get("class") == _VARIATIONAL_MIXTURE:
        yield (
            f"{name}: log p is a variational bound; its exponentials integrate to less than 1, the"
            " less the fewer records it trains on. GaussianMixture gives the log-density itself."
        )
    if not model.keys() >= _TREE_PARAMETERS:
        return
    leaf_size, atol, rtol = (model[key] for key in ("leaf_size", "atol", "rtol"))
    if not all(isinstance(value, int | float) for value in (leaf_size, atol, rtol)):
        return  # of some other class
    if leaf_size < records:
        yield (
            f"{name}: with leaf_size={leaf_size} scikit-learn's tree makes small densities too"
            " large, by any number of nats, and so M of what was learned by rote too small. Set"
            f" leaf_size={records} or more, which is exact."
        )
    if atol > 0 or rtol > 0:
        yield (
            f"{name}: densities may err by atol={atol:g} or rtol={rtol:g}, small ones by any number"
            " of nats. Set both to 0."
        )
