"""Reads amounts of bytes as Kubernetes writes them."""

import re
from decimal import Decimal
from typing import Final

_AMOUNT: Final = re.compile(
    r"(?P<number>[0-9.]+)(?:(?P<unit>[numkKMGTPE]i?)|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_POWERS: Final = {unit: power for power, unit in enumerate("kMGTPE", start=1)}
_FRACTIONS: Final = {"m": -1, "u": -2, "n": -3}


def bytes_of(amount: int | str) -> int | None:
    """Return an amount in bytes, rounded down; None if it is none.

    >>> bytes_of("2Gi"), bytes_of("1.5k"), bytes_of("1e3"), bytes_of(7), bytes_of("1500m"), bytes_of("much")
    (2147483648, 1500, 1000, 7, 1, None)
    """
    match = _AMOUNT.fullmatch(str(amount))
    if match is None or match["number"].count(".") > 1 or match["number"] == ".":
        return None
    unit = match["unit"] or ""
    if unit.endswith("i"):
        factor = Decimal(1024) ** _POWERS[unit[0].replace("K", "k")]
    else:
        factor = Decimal(1000) ** (_POWERS | _FRACTIONS).get(unit.replace("K", "k"), 0)
    return int(Decimal(match["number"]) * factor * Decimal(10) ** int(match["exponent"] or 0))
