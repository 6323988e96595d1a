"""How a run was made: enough to make it again, and to tell whether a page belongs to it."""

from typing import Any

from byrote.report.command import command_of
from byrote.report.page.audit import Audit
from byrote.report.page.content import Facts, Prose, Section
from byrote.report.page.provenance import digests
from byrote.report.settings import model_call

_NO_COMMAND = "none: the records, the plan or the secrets were made in Python"
_HASHED = {
    "data": "data (values, ids and labels)",
    "model": "model (class, code and parameters, before training)",
    "run": "run (description, plan, every fit and result)",
}
_OMITTED = ("location",)  # of the data: a path on somebody's machine


def made(audit: Audit) -> Section:
    """Return command, seed, versions, plan and digests of a run."""
    manifest, command = audit.run.manifest, command_of(audit.run)
    model = manifest.model
    hashes, versions = digests(audit.run), dict(manifest.environment)
    processor = versions.pop("processor", "unknown")
    described: dict[str, Any] = manifest.model_dump(mode="json")
    for name in _OMITTED:
        described["data"].pop(name, None)
    pairs = (
        ("run", manifest.run_id),
        ("begun", manifest.created),
        ("data", f"{audit.source}, {manifest.data.records:,} records"),
        ("model", model_call(model.model_dump())),
        ("plan", audit.plan),
        ("fits", f"{len(audit.run.finished):,} of {audit.run.design.fits:,}"),
        ("seed", str(manifest.seed)),
        ("versions", ", ".join(f"{name} {v}" for name, v in versions.items())),
        ("processor", processor),
    )
    hashed = tuple((f"SHA-256 of {_HASHED[name]}", value) for name, value in hashes.items())
    verify = "byrote verify PAGE RUN makes this page again from the run, and compares every byte."
    return Section(
        "made",
        "How it was made",
        (
            Facts(pairs),
            Facts((("command", command or _NO_COMMAND), *hashed), code=True),
            Prose((verify,)),
        ),
        {"manifest": described, "digests": hashes, "command": command},
    )
