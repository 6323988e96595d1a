"""The parameter ``dp`` of models: what private training is to guarantee."""

from dataclasses import dataclass
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput

_SAMPLING_OF = {"rdp": "poisson", "prv": "poisson", "gaussian": "shuffled"}


@dataclass(frozen=True, kw_only=True)
class DP:
    """Differentially private training, DP-SGD (Abadi et al. 2016), as a parameter of a model.

    In a step each record's gradient is clipped to ``max_grad_norm``; Gaussian noise of
    ``noise_multiplier * max_grad_norm`` is added to the sum, which is then divided by the expected
    number of records. The weights are then (epsilon, delta)-differentially private: neighbouring
    data sets differ by one record added or removed, and the number of records counts as known.

    The guarantee is about the weights and samples from them, not about training losses or scores,
    which a run keeps; and about readers who do not know the seed, from which the noise follows. A
    run writes its seed into run.json.

    Parameters
    ----------
    target_epsilon
        Epsilon that training may spend in all; the noise follows. This or ``noise_multiplier``.
    noise_multiplier
        Standard deviation of the noise, in units of ``max_grad_norm``. Too little noise for any
        guarantee is allowed, and labelled so in the facts of a fit.
    delta
        Of the guarantee; below 1 / records, or a record may be published outright.
    max_grad_norm
        Norm to which a record's gradient is clipped.
    accountant
        Composes the steps, an upper bound each: "rdp" (Renyi, of Opacus) or "prv" (numerical,
        tighter), for ``sampling="poisson"``; "gaussian", the closed form for "shuffled".
    sampling
        "poisson": a record is in each batch with probability 1 / batches per epoch, independently,
        which amplifies privacy. "shuffled": in one batch of each epoch, drawn at random; nothing
        but the noise counts, mu = sqrt(epochs) / noise_multiplier (Dong, Roth & Su 2022).

    Raises
    ------
    InvalidInput
        By ``check``, which models call before any work.

    Examples
    --------
    >>> DP(target_epsilon=8.0, delta=1e-5).check()
    >>> DP(noise_multiplier=1.0).check()
    Traceback (most recent call last):
    ...
    byrote.errors.InvalidInput: dp: delta must be given, a number between 0 and 1; got None
    """

    target_epsilon: float | None = None
    noise_multiplier: float | None = None
    delta: float | None = None
    max_grad_norm: float = 1.0
    accountant: str = "rdp"
    sampling: str = "poisson"

    def check(self) -> None:
        """Refuse values out of range, or a sampling that the accountant does not cover."""
        if (self.target_epsilon is None) == (self.noise_multiplier is None):
            got = "neither" if self.noise_multiplier is None else "both"
            raise InvalidInput(
                f"dp: one of target_epsilon and noise_multiplier must be given; got {got}"
            )
        if self.delta is None:
            raise InvalidInput("dp: delta must be given, a number between 0 and 1; got None")
        budget = "noise_multiplier" if self.target_epsilon is None else "target_epsilon"
        for name, check in {
            budget: checks.positive if self.noise_multiplier is None else checks.not_negative,
            "delta": checks.fraction,
            "max_grad_norm": checks.positive,
        }.items():
            object.__setattr__(self, name, check(f"dp: {name}", getattr(self, name)))
        checks.choice("dp: accountant", self.accountant, _SAMPLING_OF)
        checks.choice("dp: sampling", self.sampling, ("poisson", "shuffled"))
        if self.sampling != _SAMPLING_OF[self.accountant]:
            fitting = [name for name, kind in _SAMPLING_OF.items() if kind == self.sampling]
            raise InvalidInput(
                f"dp: accountant {self.accountant!r} must go with sampling"
                f" {_SAMPLING_OF[self.accountant]!r}; got {self.sampling!r}, whose accountant is"
                f" {' or '.join(map(repr, fitting))}"
            )


def check_parameter(dp: Any) -> None:
    """Refuse a model's parameter ``dp`` that is neither None nor a usable ``DP``."""
    if dp is None:
        return
    if not isinstance(dp, DP):
        raise InvalidInput(
            f"dp must be a byrote.models.DP or None; got {type(dp).__name__} (on the command line"
            ' it is an object: --set \'dp={"target_epsilon": 8, "delta": 1e-5}\')'
        )
    dp.check()
