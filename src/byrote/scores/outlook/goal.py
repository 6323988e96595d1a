"""Goals of a run: records found, a standard error, an effect found, an epsilon proven."""

from dataclasses import dataclass
from typing import Literal

from byrote.scores.named_number import parse_named_number
from byrote.scores.outlook.outlook import Noise, Outlook

Name = Literal["discover", "se", "effect", "epsilon"]
LARGE = 6.0  # effect, in standard deviations of a record's values, that "discover" asks for
_FORMS = {"discover": "N (records)", "se": "X (nats)", "effect": "X (nats)", "epsilon": "X"}


@dataclass(frozen=True)
class Goal:
    """What a run must be able to do.

    "discover": find this number of records, each with an effect of six standard deviations of a
    record's log-likelihood from fit to fit; "se": know mean_log with this standard error, nats;
    "effect": find a single record with this effect, nats; "epsilon": prove this lower bound.
    """

    name: Name = "discover"
    value: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Goal":
        """Parse a goal such as "se=1".

        Examples
        --------
        >>> Goal.parse("epsilon=3")
        Goal(name='epsilon', value=3.0)
        """
        return cls(*parse_named_number("goal", text, _FORMS))  # type: ignore[arg-type]

    @property
    def discoveries(self) -> int:
        """Number of records that are to be found together."""
        return int(self.value) if self.name == "discover" else 1

    @property
    def question(self) -> str:
        """The question that ends a run early once the goal is reached; empty if none does."""
        return f"discover={self.discoveries}" if self.name in ("discover", "effect") else ""

    def reached(self, outlook: Outlook, noise: Noise) -> bool:
        """Whether a plan reaches the goal, as far as the pilot shows."""
        if self.name == "se":
            return outlook.standard_error <= self.value
        if self.name == "epsilon":
            return outlook.epsilon >= self.value
        bar = self.value if self.name == "effect" else LARGE * noise.spread
        return outlook.tested >= self.discoveries and outlook.detectable <= bar
