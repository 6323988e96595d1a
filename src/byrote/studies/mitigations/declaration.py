"""What a study of mitigations is: audits of one data set, declared in a TOML file."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from byrote import checks
from byrote.studies import configured
from byrote.studies.configured import SCALES, ConfiguredStudy, Name, Part, load_declared
from byrote.studies.toml_file import parse

NAMES = ("mitigations", "onion")

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Pruning(Part):
    """Which records a run goes without: a share of those scored by another run.

    at: the most memorized ("highest"), or as many at random.
    """

    after: Name
    top: Fraction
    at: Literal["highest", "random"] = "highest"


class Configuration(configured.Configuration):
    """One audit: a model, and the plan of its fits.

    probes: how many records are probes. seed, choice: added to the study's seed for all of the run,
    and for the choice of its probes. validation: whether the model gets the records set apart, as
    its parameter of that name. against: the audit that it is compared with.
    """

    probes: PositiveInt
    seed: NonNegativeInt = 0
    choice: NonNegativeInt = 0
    validation: bool = False
    pruned: Pruning | None = None
    against: Name = "plain"


class Scale(configured.Scale):
    """How large a study is.

    validation: records set apart. records: of the others, a random choice; all if not given.
    replications: of studies that peel, how often all is done again with other seeds.
    """

    validation: PositiveInt
    records: PositiveInt | None = None
    replications: PositiveInt = 1


class Peeling(Part):
    """Rounds of pruning and auditing again, and beside them rounds of pruning at random."""

    rounds: PositiveInt
    top: Fraction


class MitigationStudy(ConfiguredStudy):
    """One study at two scales.

    Examples
    --------
    >>> study = load_mitigation_study("onion")
    >>> [one.name for one in study.configurations("small")][:4]
    ['1-all', '1-pruned-1', '1-pruned-2', '1-pruned-3']
    """

    form: ClassVar[type[configured.Configuration]] = Configuration

    small: Scale
    full: Scale
    peeling: Peeling | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "MitigationStudy":
        """What a run is pruned after comes before it, what it is compared with is there."""
        for scale in SCALES:
            before: set[str] = set()
            found = self.configurations(scale)
            for one in found:
                if one.pruned is not None and one.pruned.after not in before:
                    raise ValueError(f"{one.name} must come after {one.pruned.after}")
                before.add(one.name)
            lost = {one.against for one in found} - before
            if lost and self.peeling is None:
                raise ValueError(f"against must name a configuration; {min(lost)} is none")
        return self

    def scale(self, name: str) -> Scale:
        """One of the two, by name."""
        found = super().scale(name)
        assert isinstance(found, Scale)  # noqa: S101 (as declared above)
        return found

    def configurations(self, scale: str) -> tuple[Configuration, ...]:
        """What is run at a scale, in this order."""
        found = super().configurations(scale)
        if self.peeling is None:
            return found
        times = range(self.scale(scale).replications)
        return tuple(each for r in times for each in _peeled(found[0], self.peeling, r))


def _peeled(one: Configuration, peeling: Peeling, place: int) -> list[Configuration]:
    """The audits of one replication: of all records, and of what either way of pruning leaves."""
    label = place + 1
    seeds = {"seed": place, "choice": place}
    found = [one.model_copy(update={**seeds, "name": f"{label}-all"})]
    ways: tuple[tuple[Literal["highest", "random"], str], ...]
    ways = (("highest", "pruned"), ("random", "random"))
    for at, word in ways:
        after = f"{label}-all"
        for number in range(1, peeling.rounds + 1):
            name = f"{label}-{word}-{number}"
            pruned = Pruning(after=after, top=peeling.top, at=at)
            title = f"{one.title}, round {number}, {word}"
            new = {**seeds, "name": name, "title": title, "pruned": pruned}
            found.append(one.model_copy(update=new))
            after = name
    return found


def load_mitigation_study(name: str) -> MitigationStudy:
    """A study that comes with byrote.

    Raises
    ------
    InvalidInput
        If there is none of that name; the message suggests the nearest.
    """
    checks.choice("study", name, NAMES)
    return load_declared(MitigationStudy, "byrote.studies.mitigations", name)


def parse_mitigation_study(name: str, text: str) -> MitigationStudy:
    """A study from the text of its file.

    Raises
    ------
    CorruptFile
        If the text is no TOML, or not of the form of a study; the message says where.
    """
    return parse(MitigationStudy, name, text)
