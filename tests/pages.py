"""Pages of docs/ and the README: their blocks, and the commands in them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]


def text_of(page):
    return (ROOT / page).read_text()


def blocks(page, kind):
    """The fenced blocks of a kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text_of(page), flags=re.MULTILINE | re.DOTALL)


def indented(page, first):
    """The lines of the indented block that holds a text, continued lines joined."""
    found = next(b for b in re.split(r"\n\n(?=    )|\n(?!    )", text_of(page)) if first in b)
    return re.sub(r"\\\n +", "", found).replace("\n    ", "\n").strip().splitlines()


def indented_commands(page):
    """The commands of the indented blocks, in order, continued lines joined, without comments."""
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    joined = re.sub(r"\\\n +", "", prose)
    lines = re.findall(r"^    ((?:byrote|python|make) .*)$", joined, flags=re.MULTILINE)
    return [line.partition("  #")[0].rstrip() for line in lines]


def commands(page, changes=()):
    """The words of each byrote command in the blocks of a console, after changes to them."""
    lines = "".join(blocks(page, "console")).splitlines()
    return [words_of(line, changes) for line in lines if line.startswith("$ byrote")]


def words_of(line, changes=()):
    for old, new in changes:
        line = line.replace(old, new)
    program, *words = shlex.split(line.removeprefix("$ "))
    assert program == "byrote"
    return words


def masked(text):
    """Lines without their numbers, which differ from processor to processor."""
    return [re.sub(r"-?\d[\d.,]*", "0", line).split() for line in text.splitlines()]
