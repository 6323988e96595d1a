"""The kind of studies whose runs audit the same probes: mitigations, pruning, families."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from byrote.studies.study import DeclaredRun, Name, Part, Scale, Study, Texts

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Pruning(Part):
    """Removal of a share of the records scored by another run.

    at: the most memorized ("highest"), or as many at random.
    """

    after: Name
    top: Fraction
    at: Literal["highest", "random"] = "highest"


class AuditRun(DeclaredRun):
    """A run whose probes are in half of the fits each.

    probes: their number, at most that of the records (default: all). records: size of a fixed
    random subset (default: all). pairs: train complementary pairs of fits.
    seed, probe_seed: added to the study's seed, for the run and for the choice of its probes.
    validation: pass the held-out records as the model's parameter ``validation``. null: train on
    held-out records in place of those audited. labels: of the records: their own, none, or this
    number of others, drawn at random. baseline: name of the run that it is compared with.
    """

    fits: PositiveInt
    probes: PositiveInt | None = None
    records: PositiveInt | None = None
    pairs: bool = False
    seed: NonNegativeInt = 0
    probe_seed: NonNegativeInt = 0
    validation: bool = False
    null: bool = False
    labels: Literal["own", "none"] | PositiveInt = "own"
    pruned: Pruning | None = None
    keep_models: Literal["none", "all"] = "none"
    baseline: Name = "plain"


class AuditScale(Scale):
    """A scale of a study of mitigations.

    validation: number of held-out records. records: size of a fixed random subset of the others
    (default: all). replications: number of repetitions of all rounds of pruning.
    """

    minutes: PositiveInt
    validation: PositiveInt
    records: PositiveInt | None = None
    replications: PositiveInt = 1


class PruningRounds(Part):
    """Rounds of pruning a share of the records and training again, with a random control."""

    rounds: PositiveInt
    top: Fraction


class MitigationStudy(Study):
    """A study of models that audit the same probes: mitigations, pruning, families of models.

    dequantized: all models score logits of levels made continuous, as flows do (``Dequantized``).

    Examples
    --------
    >>> from byrote.studies.kinds import load_study
    >>> study = load_study("onion")
    >>> [run.name for run in study.runs("small")][:4]
    ['1-all', '1-pruned-1', '1-pruned-2', '1-pruned-3']
    """

    kind: ClassVar[str] = "mitigations"
    run_form: ClassVar[type[DeclaredRun]] = AuditRun
    options: ClassVar[tuple[str, ...]] = ("records", "fits", "key", "labels")

    data: str
    published: Texts
    dequantized: bool = False
    small: AuditScale
    full: AuditScale
    pruning: PruningRounds | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for scale in self.scales:
            earlier: set[str] = set()
            runs = self.runs(scale)
            for run in runs:
                if run.pruned is not None and run.pruned.after not in earlier:
                    raise ValueError(f"{run.name} must come after {run.pruned.after}")
                earlier.add(run.name)
            unknown = {run.baseline for run in runs} - earlier
            if unknown and self.pruning is None:
                raise ValueError(f"baseline must name a run; got {min(unknown)}")
        return self

    def runs(self, scale: str) -> tuple[Any, ...]:
        """Return the runs at a scale, or the rounds of pruning of each replication."""
        runs = super().runs(scale)
        if self.pruning is None:
            return runs
        replications = range(self.scale(scale).replications)
        return tuple(run for r in replications for run in _onion(runs[0], self.pruning, r))


def _onion(run: AuditRun, pruning: PruningRounds, replication: int) -> list[AuditRun]:
    """Return one replication: a run on all records, then the rounds of both ways of pruning."""
    seeds, label = {"seed": replication, "probe_seed": replication}, replication + 1
    runs = [run.model_copy(update={**seeds, "name": f"{label}-all"})]
    for at, word in (("highest", "pruned"), ("random", "random")):
        after = f"{label}-all"
        for number in range(1, pruning.rounds + 1):
            name = f"{label}-{word}-{number}"
            title = f"{run.title}, round {number}, {word}"
            pruned = Pruning(after=after, top=pruning.top, at=at)  # type: ignore[arg-type]
            named = {"name": name, "title": title, "pruned": pruned}
            runs.append(run.model_copy(update={**seeds, **named}))
            after = name
    return runs
