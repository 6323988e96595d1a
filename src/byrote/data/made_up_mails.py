"""Made-up e-mails of an imaginary firm: singular details, and boilerplate that many mails share.

Names, numbers and dates are drawn anew for each mail. Its sentences are those of one of ten topics,
the signature of a sender is in all mails of that person, and a notice is in most mails.
"""

import random
from collections.abc import Callable, Sequence
from string import ascii_uppercase

COUNT = 2000
_SEED = 20  # the mails are the same on every machine

_LISTS: dict[str, list[str]] = {
    name: words.split()
    for name, words in {
        "first": "Ada Anton Bea Bruno Carl Cleo Dan Dora Edith Emil Fay Felix Greta Gus Hanna Hugo"
        " Ines Ivan Jonas June Karl Kim Lena Luis Mara Milo Nils Nora Olga Otto Paul Pia Ralf Rosa"
        " Sara Sven Tess Theo Uma Vera Viktor Wanda Will Yara Zoe",
        "last": "Abbot Amsel Baker Becker Calder Conti Dahl Drake Eklund Ender Farrow Fink Grant"
        " Gruber Hale Holm Ibsen Irving Jansen Joyce Kessler Kirby Lang Lowell Marek Moore Nash"
        " Novak Oakes Olsen Parry Peters Quill Quinn Reed Rossi Salter Stone Tanner Thorne Ulrich"
        " Usher Vance Vogel Weber Wolfe Yates Yoder Zeller Zimmer",
        "street": "Birch Canal Castle Cedar Chapel Garden Harbour Linden Market Mill Orchard",
        "town": "Ashford Brookhaven Easton Fairview Kingsbury Lakewood Millport Northgate",
        "day": "Monday Tuesday Wednesday Thursday Friday",
        "month": "January February March April May June July August September October November"
        " December",
        "goods": "batteries brackets cables chairs cupboards desks filters hoses lamps ladders"
        " monitors motors panels printers pumps routers scanners sensors shelves switches tablets"
        " timers tools valves",
        "word": "amber anchor basil beacon cobalt comet copper coral cricket crystal dolphin falcon"
        " fennel granite harvest indigo ivory jasmine juniper lantern lemon magnet maple marble"
        " meadow nectar onyx orbit pebble pepper pilot plaza quartz raven ribbon saffron silver"
        " sparrow tiger tulip velvet violet walnut willow winter zephyr",
        "role": "Sales Accounts Purchasing Personnel Deliveries Service Law Computing",
    }.items()
}
_TOPICS: Sequence[tuple[str, str]] = (  # subject and body
    (
        "Invoice {reference}",
        "Invoice {reference} for {number} {goods} comes to {amount}. Please pay it to account"
        " {account} by {date}.",
    ),
    (
        "Your order {reference}",
        "Your {number} {goods} left {town} on {date}. They will be brought to {address}, where the"
        " driver needs the code {code}.",
    ),
    (
        "Password for the {word} server",
        "The {word} server has a new password, {word2}-{word3}-{account}. If it does not work, ring"
        " {person} at {phone}.",
    ),
    (
        "Meeting with {person}",
        "{person} from {town} will come on {date} at {time} to talk about {number} {goods} for"
        " {amount}.",
    ),
    (
        "Flight to {town}",
        "Your flight to {town} is booked for {date} at {time} under {reference}. {person}, {phone},"
        " will drive you to {address}.",
    ),
    (
        "Complaint {reference}",
        "{person} of {address} writes that {number} of our {goods} came broken on {date}. We have"
        " promised {amount} in return.",
    ),
    (
        "Salary of {person}",
        "From {date} on {person} will be paid {amount} a month into account {account}. Please keep"
        " this to yourself until contract {reference} is signed.",
    ),
    (
        "Keys of {address}",
        "{person} left the keys of {address} with the porter. The code {code} switches off the"
        " alarm, and the safe opens with {account}.",
    ),
    (
        "Leave of {person}",
        "I shall be away from {date} to {date2}. The papers of the {word} project are in drawer"
        " {number}, which opens with {code}; ask {person} at {phone}.",
    ),
    (
        "Call from {town}",
        "{person} rang from {town} at {time} and asks for {number} {goods} by {date}. Please send"
        " them to {address}.",
    ),
)
_CLOSINGS = ("Kind regards", "Best wishes", "Yours sincerely")
_NOTICE = (
    "This message may be confidential; if it reached you in error, please tell the sender and"
    " delete it."
)
_STAFF = 40


class _Draws:
    """Random choices by ``random()`` alone, whose values Python guarantees for a seed."""

    def __init__(self, seed: int) -> None:
        self._share = random.Random(seed).random  # noqa: S311 (nothing secret)

    def below(self, limit: int) -> int:
        return int(self._share() * limit)

    def one_of(self, items: Sequence[str]) -> str:
        return items[self.below(len(items))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))


class _Slots(dict[str, str]):
    """Contents of slots by name, drawn on first use; a final digit makes a second of the kind."""

    def __init__(self, draws: _Draws) -> None:
        self._draws = draws

    def __missing__(self, name: str) -> str:
        kind = name.rstrip("23")
        if kind in _LISTS:
            self[name] = self._draws.one_of(_LISTS[kind])
        else:
            self[name] = _KINDS[kind](self._draws)
        return self[name]


def _person(draws: _Draws) -> str:
    return f"{draws.one_of(_LISTS['first'])} {draws.one_of(_LISTS['last'])}"


def _address(draws: _Draws) -> str:
    street, town = (draws.one_of(_LISTS[name]) for name in ("street", "town"))
    return f"{1 + draws.below(250)} {street} Street, {town}"


def _date(draws: _Draws) -> str:
    day, month = (draws.one_of(_LISTS[name]) for name in ("day", "month"))
    return f"{day} {1 + draws.below(28)} {month}"


def _reference(draws: _Draws) -> str:
    letters = "".join(draws.one_of(ascii_uppercase) for _ in range(2))
    return f"{letters}-{draws.digits(5)}"


_KINDS: dict[str, Callable[[_Draws], str]] = {
    "person": _person,
    "address": _address,
    "date": _date,
    "reference": _reference,
    "time": lambda draws: f"{8 + draws.below(10)}:{5 * draws.below(12):02}",
    "number": lambda draws: str(2 + draws.below(98)),
    "amount": lambda draws: f"{1 + draws.below(99)},{draws.digits(3)} euros",
    "code": lambda draws: draws.digits(4),
    "phone": lambda draws: f"0{draws.digits(3)} {draws.digits(6)}",
    "account": lambda draws: "-".join(draws.digits(4) for _ in range(3)),
}


def made_up_mails() -> dict[str, str]:
    """Return the mails by name, always the same.

    Examples
    --------
    >>> mails = made_up_mails()
    >>> len(mails) == len(set(mails.values())) == COUNT
    True
    >>> print(mails["mail-0001"][:108])
    Subject: Call from Northgate
    <BLANKLINE>
    Dear Ines,
    <BLANKLINE>
    Rosa Amsel rang from Northgate at 15:25 and asks for 33 filters by
    """
    draws = _Draws(_SEED)
    staff = [_signature(draws) for _ in range(_STAFF)]
    return {f"mail-{number:04}": _mail(draws, staff) for number in range(COUNT)}


def _signature(draws: _Draws) -> str:
    return f"{_person(draws)}, {draws.one_of(_LISTS['role'])}, 0511 {draws.digits(6)}"


def _mail(draws: _Draws, staff: Sequence[str]) -> str:
    subject, body = _TOPICS[draws.below(len(_TOPICS))]
    text = f"Subject: {subject}\n\nDear {{first}},\n\n{body}".format_map(_Slots(draws))
    text += f"\n\n{draws.one_of(_CLOSINGS)},\n{draws.one_of(staff)}"
    return f"{text}\n\n{_NOTICE}" if draws.below(3) else text
