"""Ids in tables: whole where there is room, cut to different texts, or folded."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from byrote.report.format import new_table
from byrote.report.ids import Ids

SCANS = [f"patients/2024/ward-{k // 10:03d}/scan-left-{k:06d}.png" for k in range(40)]
ENDS = [f"{k:02d}{'x' * 60}" for k in range(40)]


@given(
    st.lists(st.text("ab1/…漢\n", max_size=30), unique=True, min_size=1, max_size=12),
    st.integers(1, 40),
)
def test_no_two_ids_are_cut_to_the_same_text(ids, width):
    cut = Ids(ids).cut(width)
    assert len(cut) == len(ids) == len({*cut.values()})


@pytest.mark.parametrize("ids", [SCANS, ENDS])
@pytest.mark.parametrize("width", [8, 12, 20, 30])
def test_long_ids_fill_the_width_and_no_more(ids, width):
    cut = Ids(ids).cut(width)
    assert {len(text) for text in cut.values()} == {width}
    assert all("…" in text for text in cut.values())


def test_ids_that_fit_are_whole():
    assert Ids(SCANS).cut(100) == {text: text for text in SCANS}


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_table_with_long_ids_is_no_wider_than_the_terminal(width):
    table, ids = new_table("record", "score"), Ids(SCANS)
    for text in SCANS:
        table.add_row(ids.cell(text), "12.34")
    stream = io.StringIO()
    Console(file=stream, width=width).print(table)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + len(SCANS) == len({*lines})
    assert max(map(len, lines)) <= width
    assert all("12.34" in line for line in lines[1:])
