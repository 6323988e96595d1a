"""Print what ``make demo`` found: digits learned by rote, and a secret exposed in a text.

python examples/what_was_found.py RUN_OF_SCORES RUN_OF_CANARIES
"""

import sys

import byrote


def digits(run: byrote.Run) -> str:
    """State how many records were found, and describe the one with the highest score."""
    scores = run.memorization()
    found = [row for row in scores.order() if scores.q_value[row] <= 0.05]
    if not found:
        return "No digit was found; print(run.memorization()) says what could have been."
    rise, first = scores.mean_log[found], found[0]
    return (
        f"{len(found):,} of {len(scores):,} digits are memorized (q ≤ 0.05): training raises their"
        f" log-likelihood by an estimated {rise.min():.1f} to {rise.max():.0f} nats.\n"
        f"Digit {scores.ids[first]}, a {scores.labels[first]}, has log p"
        f" {scores.log_prob_in[first]:.0f} where the model trained on it,"
        f" {scores.log_prob_out[first]:.0f} where it did not."
    )


def secrets(run: byrote.Run) -> str:
    """State how exposed the most exposed canary is."""
    result = run.exposure()
    row = result.exposure.bits.argmax()
    return (
        f"A number that the text held {result.inserted[row]} times is exposed by"
        f" {result.exposure.bits[row]:.1f} of {result.exposure.maximum[row]:.1f} bits."
    )


def main() -> None:
    """Print the findings of both runs, and where their pictures are."""
    scores, canaries = (byrote.open_run(path) for path in sys.argv[1:])
    print(f"\n{digits(scores)}\n{secrets(canaries)}")
    print("Pictures:", scores.path / "figures" / "with-and-without.png")
    print("         ", canaries.path / "figures" / "exposure-by-insertions.png")


if __name__ == "__main__":
    main()
