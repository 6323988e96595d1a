"""What the words on a page mean, for a reader who meets them for the first time."""

Words = tuple[tuple[str, str], ...]

_NATS: Words = (
    ("nat", "1 nat is a factor of 2.7, 2.3 nats are a factor of 10, 12 nats a factor of 160,000"),
)
CANARIES: Words = (
    ("canary", "an invented secret, put into the training text for this test"),
    (
        "exposure",
        "where a secret stands if the model sorts all secrets of the format by probability: with b"
        " bits it is among the first 2^-b of them, with the largest possible exposure the very"
        " first. Whoever can ask the model for probabilities needs 2^b times fewer guesses.",
    ),
    (
        "bits of the text",
        "how improbable the secret is to the model: with b bits the model completes it of itself"
        " once in 2^b attempts",
    ),
    (
        "by",
        "how the place was found: exact or by search, which is certain for this model, or estimated"
        " from samples",
    ),
    ("only bounds", "number of secrets known only to be at least so exposed"),
)
EXTRACTION: Words = (
    (
        "certified",
        "a search has shown that nothing it left out is more likely to the model; not certified, it"
        " ended at its budget before",
    ),
    (
        "rank",
        "the number of guesses, the likeliest first, after which the secret is guessed",
    ),
    (
        "completed from",
        "how many characters of the secret must be given for the model to complete the others",
    ),
)
RECITATION: Words = (
    ("token", "a piece of text, such as a word or a letter, that a model reads at a time"),
    (
        "window",
        "a stretch of a text: its first tokens are given to the model, which is to go on with the"
        " others, word for word",
    ),
    ("greedy", "decoding that always takes the likeliest token"),
    (
        "top-40, temperature 0.7",
        "ways of drawing tokens at random: from the 40 likeliest, or with likely ones preferred",
    ),
    (
        "bits saved",
        "how much less improbable the rest of a window is to models that trained on its text",
    ),
)
ATTACKS: Words = (
    (
        "loss, lira",
        "two attackers: the first knows how probable the model finds a record, the second also how"
        " probable it is to models trained with it and without it",
    ),
    (
        "area under the curve",
        "how often an attacker ranks a record that was trained on above one that was not: one half"
        " is guessing, 1 certainty. It is an average, and says nothing of the worst record.",
    ),
    (
        "privacy loss, epsilon",
        "by training on one record, nothing that the model does becomes more than e^epsilon times"
        " as probable. Training can guarantee an upper bound, an audit prove a lower one; what is"
        " proven above the guarantee refutes it. With epsilon 2.5 an attacker's odds change by a"
        " factor of up to 12.",
    ),
)


def of_scores(value: str, unit: str) -> Words:
    """Return the words of memorization scores, in a unit, of a value such as log p."""
    known = (value, "how probable a model finds a record, as a logarithm")
    return (
        *((known, *_NATS) if unit == "nats" else ()),
        (
            "effect",
            f"the mean {value} of a record in the models that trained on it, minus that in those"
            " that did not: how much better a model knows the record for having seen it",
        ),
        (
            "score M",
            "the same by the estimate of van den Burg and Williams (2021): a mean of probabilities"
            f" instead of logarithms, in {unit}",
        ),
        (
            "found",
            "at a 5% false discovery rate: of all records found, 1 in 20 is expected to be there by"
            " chance; which ones cannot be said",
        ),
        (
            "q",
            "the false discovery rate at which the record would just be found: the smaller, the"
            " surer; no probability that the record is there by chance. It decides, and rests on"
            " what all records say about noise; an interval shows how far the record's own few"
            " values scatter, and the two may disagree.",
        ),
    )


def intervals(*, moderated: bool) -> str:
    """Return what the intervals of records rest on, and why they may disagree with q."""
    own = "The interval is from the record's own values alone"
    if not moderated:
        return f"{own}."
    return (
        "q decides whether a record is found: it rests on what all records say about noise, and on"
        f" how many were tested. {own}; the two may disagree."
    )
