"""Options of the verb that proposes plans."""

from dataclasses import dataclass
from typing import Annotated

import typer

from byrote.cli.options.shared import (
    AsJson,
    Data,
    Debug,
    DensityModel,
    FromSamplesCount,
    Ids,
    Image,
    Key,
    Labels,
    Only,
    Part,
    Seed,
    Settings,
    SubsetSize,
    Threads,
    Workers,
    value,
)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Propose plans for a goal and a budget: what each costs, and what it can find."""

    data: Data
    model: DensityModel = "vae"
    settings: Settings = None
    from_samples: FromSamplesCount = None
    budget: Annotated[
        str | None, value("TIME", "Stay within this time, such as 90s, 30min or 2h.")
    ] = None
    goal: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="GOAL",
            help="Reach this goal: discover=N (find N records with an effect of 6 standard"
            " deviations of retraining), se=X (standard error, nats), effect=X (find a single"
            " record with this effect, nats) or epsilon=X (be able to prove this bound).",
        ),
    ] = "discover=1"
    key: Key = None
    labels: Labels = None
    ids: Ids = None
    part: Part = None
    image: Image = None
    records: SubsetSize = None
    only: Only = None
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    as_json: AsJson = False
    debug: Debug = False
