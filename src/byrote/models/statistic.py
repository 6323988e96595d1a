"""What the values of a model are, where they are not log-likelihoods."""

from typing import NamedTuple


class Statistic(NamedTuple):
    """What ``score_samples`` returns: higher where a record is more likely, or better guessed."""

    name: str = "log p"
    unit: str = "nats"


GUESS = Statistic("quality of the guess", "quality")  # of a secret column
