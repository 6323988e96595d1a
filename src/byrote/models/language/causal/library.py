"""The transformers library: loaded when needed, kept from the network and from the terminal."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

from byrote.errors import MissingExtra

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def transformers() -> Any:
    """The module.

    Raises
    ------
    MissingExtra
        With the line that installs it.
    """
    if find_spec("transformers") is None:
        raise MissingExtra(
            "CausalLM needs transformers, which is not installed: pip install 'byrote[hf]'"
        )
    return importlib.import_module("transformers")


@contextmanager
def offline() -> Iterator[None]:
    """No hub, no usage statistics and no progress bars for the length of a block.

    The hub's library reads its environment once, when it is imported; so both are set and put back.
    """
    logging = transformers().utils.logging
    constants = importlib.import_module("huggingface_hub.constants")
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with (
            patch.dict(os.environ, _OFFLINE),
            patch.object(constants, "HF_HUB_OFFLINE", True),
            patch.object(constants, "HF_HUB_DISABLE_TELEMETRY", True),
        ):
            yield
    finally:
        if shown:
            logging.enable_progress_bar()
