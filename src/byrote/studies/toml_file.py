"""A declared study from the text of its TOML file, whichever its form."""

import tomllib
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from byrote.errors import CorruptFile

Declared = TypeVar("Declared", bound=BaseModel)


def parse(form: type[Declared], name: str, text: str) -> Declared:
    """What a study of this name declares.

    Raises
    ------
    CorruptFile
        If the text is no TOML, or not of the form of a study; the message says where.
    """
    try:
        return form(name=name, **tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CorruptFile(f"{name}.toml is no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise CorruptFile(f"{name}.toml declares no study: {where}: {first['msg']}") from None
