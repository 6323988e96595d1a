"""How a study of exposure speaks of canaries."""


def times(count: int) -> str:
    """How often a canary was inserted, in words.

    Examples
    --------
    >>> times(0), times(1), times(16)
    ('never inserted', 'inserted once', 'inserted 16 times')
    """
    words = {0: "never inserted", 1: "inserted once", 2: "inserted twice"}
    return words.get(int(count), f"inserted {int(count):,} times")
