"""The model of a run, where it is a class of the user's own."""

from typing import Annotated, Any

import typer

from byrote.errors import InvalidInput

OwnModel = Annotated[
    str | None, typer.Option(help="module:Class, if the run's model is a class of your own.")
]
OwnSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter of --model."),
]


def own_model(name: str | None, settings: list[str] | None) -> Any:
    """Build the unfitted model that ``Run.model`` needs for such a class; None without one."""
    from byrote.models import registry  # noqa: PLC0415 (slow to load)

    chosen = registry.parse_settings(settings or [])
    if name is None and chosen:
        raise InvalidInput("--set needs --model: a run's own model has the parameters of the run")
    return None if name is None else registry.build(name, chosen)
