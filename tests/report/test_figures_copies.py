"""The figure of copying: what is drawn is what was given."""

import pytest

from byrote.errors import InvalidInput
from byrote.figures import Copying, copies_by_configuration
from byrote.stats.estimate import Estimate

NONE = Estimate(0.0, 0.0, 0.1)


def row(name="8 images", **shares):
    estimates = {name: Estimate(value, 0.0, 1.0) for name, value in shares.items()}
    return Copying(name, estimates, dict.fromkeys(shares, NONE), Estimate(90.0, 80.0, 100.0))


def test_every_share_is_drawn_beside_its_control_and_the_mean_score():
    rows = [row("few", ratio=0.8, extraction=0.9), row("many", ratio=0.1, extraction=0.2)]
    left, right = copies_by_configuration(rows).axes
    drawn = [line.get_xdata().tolist() for line in left.lines]
    assert sorted(drawn) == [[0.0, 0.0], [0.0, 0.0], [0.8, 0.1], [0.9, 0.2]]
    assert [text.get_text() for text in left.get_yticklabels()] == ["few", "many"]
    assert [90.0, 90.0] in [list(line.get_xdata()) for line in right.lines]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "configurations must be 1 to 12 in number; got 0"),
        ([row()], "1 to 3 measures; got 0"),
        ([row(a=0.1), row(b=0.1)], "must have the measures of the others"),
        ([row(a=float("nan"))], "the shares of '8 images' must be finite"),
    ],
)
def test_bad_rows_are_refused(rows, message):
    with pytest.raises(InvalidInput, match=message):
        copies_by_configuration(rows)
