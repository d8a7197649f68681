"""Kubernetes' resource quantities: `500m`, `2Gi`, `1e3`."""

from decimal import ROUND_CEILING, Decimal

_SUFFIXES = {
    **{f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", start=1)},
    **{prefix: Decimal(1000) ** power for power, prefix in enumerate("kMGTPE", start=1)},
    "m": Decimal("1e-3"),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
}


def parse_quantity(text: str) -> Decimal:
    """Return the number that a quantity stands for.

    Examples:
        >>> parse_quantity("500m")
        Decimal('0.500')
        >>> parse_quantity("2Ki")
        Decimal('2048')
        >>> parse_quantity("1e3")
        Decimal('1E+3')
    """
    for suffix, factor in _SUFFIXES.items():
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix)) * factor
    return Decimal(text)


def in_units_of(text: str, divisor: str) -> str:
    """Express a quantity in whole units, rounded up as the kubelet does for a resourceFieldRef.

    Examples:
        >>> in_units_of("500m", "1")
        '1'
        >>> in_units_of("500m", "1m")
        '500'
        >>> in_units_of("1Gi", "1Mi")
        '1024'
    """
    # An unset divisor arrives as "0".
    unit = parse_quantity(divisor) or Decimal(1)
    return str(int((parse_quantity(text) / unit).to_integral_value(ROUND_CEILING)))
