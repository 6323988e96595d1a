"""run.json: the description of a run, so that different runs are never averaged."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import to_json

from byrote.data.canary_records import CanaryRecords
from byrote.data.records import Records
from byrote.data.text_records import TextRecords
from byrote.errors import CorruptFile, InvalidInput
from byrote.models import identity
from byrote.models.defaults import default_parameters
from byrote.models.statistic import Statistic
from byrote.plans import Design, Plan, check_spec
from byrote.plans.design import Units
from byrote.runs import sealed
from byrote.runs.determinism import environment

SCHEMA_VERSION = 2
MOST_BYTES = 1 << 24  # of run.json, whose size does not grow with the records
_FITS = "drawn fits"  # distinct from "fits" in the descriptions of some plans
Count = Annotated[int, Field(ge=1, lt=1 << 31)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StatisticPart(_Part):
    """What the model's values are, in words and units."""

    name: str = "log p"
    unit: str = "nats"

    @classmethod
    def of(cls, model: Any) -> "StatisticPart":
        """Describe a model's values: log p unless it says otherwise."""
        statistic = getattr(model, "statistic", None)
        return cls(**statistic._asdict()) if isinstance(statistic, Statistic) else cls()


class ModelPart(_Part):
    """The model: class, code of a user's class, and parameters except seeds.

    ``files`` are hashes of files that parameters name: another checkpoint is another model.
    ``defaults`` are the names of the parameters that were left at their default values.
    """

    name: str
    code: str = ""
    parameters: dict[str, Any]
    defaults: tuple[str, ...] = ()
    files: dict[str, str] = {}
    statistic: StatisticPart = StatisticPart()

    @classmethod
    def of(cls, model: Any) -> "ModelPart":
        """Describe a model."""
        return cls(
            name=identity.class_path(model),
            code=identity.code(model),
            parameters=dict(identity.parameters(model)),
            defaults=default_parameters(model),
            files=identity.file_hashes(model),
            statistic=StatisticPart.of(model),
        )

    def differences(self, other: "ModelPart") -> list[str]:
        """Return the differences from another model, one phrase each."""
        return [
            *_differing("model", _class(self), _class(other)),
            *_differing("model", self.parameters, other.parameters),
            *_differing("model, files at", self.files, other.files),
        ]


class DataPart(_Part):
    """The data: source, number of records, and a fingerprint of the content."""

    source: str
    location: str = ""
    options: dict[str, str] = {}
    records: Count
    shape: tuple[Count, ...]
    fingerprint: str
    table: bool = False
    texts: bool = False

    @classmethod
    def of(cls, records: Records | TextRecords | CanaryRecords) -> "DataPart":
        """Describe records."""
        return cls(
            source=records.source,
            location=_location(records.source),
            options=dict(records.options),
            records=len(records),
            shape=records.shape,
            fingerprint=records.fingerprint,
            table=isinstance(records, Records) and records.columns is not None,
            texts=isinstance(records, TextRecords),
        )

    @property
    def is_part(self) -> bool:
        """Whether these are some records of a source, whose rows are not those of the source."""
        return bool({"records", "only"} & self.options.keys())


class PlanPart(_Part):
    """The plan as requested, and properties of the drawn design.

    ``looks``: of a run that may stop early, the numbers of fits after which it is looked at.
    """

    spec: dict[str, Any]
    fits: Count
    randomized: bool
    units: Units
    looks: tuple[Count, ...] = ()

    @classmethod
    def of(cls, plan: Plan, design: Design, sizes: Sequence[int] = ()) -> "PlanPart":
        """Describe a plan and its design; ``sizes``: those of the plan at each look."""
        spec = {name: identity.plain(value) for name, value in plan.spec().items()}
        return cls(
            spec=spec,
            fits=design.fits,
            randomized=design.randomized,
            units=design.units,
            looks=tuple(design.fits * size // spec[plan.size] for size in sizes),
        )

    @field_validator("spec")
    @classmethod
    def _readable(cls, spec: dict[str, Any]) -> dict[str, Any]:
        check_spec(spec)
        return spec


class Manifest(_Part):
    """All that determines a run's numbers, and the environment that computed them.

    ``stop_when``: the question whose answer ends the run early; empty if none does.
    """

    format: Literal["byrote-run"] = "byrote-run"
    schema_version: int = SCHEMA_VERSION
    run_id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    seed: Annotated[int, Field(ge=0)]
    threads: Count
    plan: PlanPart
    model: ModelPart
    data: DataPart
    track: tuple[Count, ...]
    stop_when: str = ""
    settled: dict[str, bool | int | float | str]
    environment: dict[str, str] = Field(default_factory=environment)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the model, the number of draws as settled: values depend on it."""
        draws = {name: value for name, value in self.settled.items() if name == "draws"}
        return {**self.model.parameters, **draws}

    def check_size(self) -> None:
        """Reject a description that is too large to be read again."""
        if (size := len(self.model_dump_json())) > MOST_BYTES // 4:
            raise InvalidInput(
                f"model must have parameters that {MOST_BYTES // 4} bytes describe; got {size}"
                " bytes (an array is described by its hash, a list by all that it holds)"
            )

    def write(self, path: Path) -> None:
        """Write the manifest as a sealed file."""
        sealed.write_json(path, self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read a manifest; one of another schema version raises InvalidInput."""
        data = sealed.read_json(path, most=MOST_BYTES)
        _check_version(path, data.get("schema_version"))
        try:
            return cls.model_validate_json(to_json(data))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the whole"
            raise CorruptFile(f"{path} is not the description of a run: see {where}") from None
        except ValueError:  # JSON that is nested too deep
            raise CorruptFile(f"{path} is not the description of a run: see the whole") from None

    def differences(self, other: "Manifest", size: str) -> list[str]:
        """Return the differences from another run, one phrase each.

        A larger plan, more tracked epochs and another question to stop at are not differences, nor
        is what "auto" was resolved to, which belongs to the run. How a plan was drawn is one, and
        so is another number of fits of plans of the same size.
        """
        mine, theirs = (_plan(manifest.plan) for manifest in (self, other))
        larger = mine.pop(size, None) != theirs.pop(size, None)
        for plan in (mine, theirs) if larger else ():
            del plan[_FITS]
        return [
            *_differing("plan", mine, theirs),
            *self.model.differences(other.model),
            *_differing("data", _content(self.data), _content(other.data)),
            *_differing("run", _settings(self), _settings(other)),
            *_untracked(self.track, other.track),
        ]


def _check_version(path: Path, version: Any) -> None:
    # First, because another version may have unknown fields.
    if type(version) is not int or version < 1:
        raise CorruptFile(
            f"{path} is not the description of a run: schema_version must be an integer of at least"
            f" 1; got {version!r:.40}"
        )
    if version != SCHEMA_VERSION:
        raise InvalidInput(
            f"{path} has schema version {version}; this byrote reads version {SCHEMA_VERSION}"
        )


def _plan(plan: PlanPart) -> dict[str, Any]:
    """Return the plan as requested, and how it was drawn."""
    drawn = {_FITS: plan.fits, "units": plan.units, "randomized": plan.randomized}
    return {**drawn, "looks": plan.looks, **plan.spec}


def _location(source: str) -> str:
    """Return the absolute path of a source, for commands that start in another folder."""
    return str(Path(source).resolve()) if Path(source).exists() else source


def _class(model: ModelPart) -> dict[str, str]:
    return {"class": model.name, "code": model.code}


def _content(data: DataPart) -> dict[str, Any]:
    content = {"content (values, labels or ids)": data.fingerprint[:12]}
    return {"records": data.records, "shape": data.shape, **content}


def _settings(manifest: Manifest) -> dict[str, Any]:
    return {"seed": manifest.seed, "threads": manifest.threads}


def _untracked(mine: tuple[int, ...], theirs: tuple[int, ...]) -> list[str]:
    if set(mine) <= set(theirs):
        return []
    there, here = (", ".join(map(str, track)) or "none" for track in (mine, theirs))
    return [f"tracked epochs {there} there, {here} here"]


def _differing(part: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    names = sorted({*mine, *theirs})
    return [
        f"{part} {name} {mine.get(name)!r} there, {theirs.get(name)!r} here"
        for name in names
        if mine.get(name) != theirs.get(name)
    ]
