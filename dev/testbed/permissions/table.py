"""The matrix as a table for people."""

from collections.abc import Iterable

from testbed.permissions.matrix import Row


def as_table(rows: Iterable[Row]) -> str:
    """Return one line for each identity and resource with what is allowed, then each wrong answer."""
    rows = list(rows)
    allowed: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        allowed.setdefault((row.identity, row.resource), [])
        if row.got:
            allowed[row.identity, row.resource].append(row.verb)
    lines = [f"{who:<28}{what:<70}{', '.join(verbs) or '-'}" for (who, what), verbs in allowed.items()]
    wrong = [row for row in rows if not row.holds]
    return "\n".join([*lines, f"{len(rows)} answers, {len(wrong)} not as expected", *map(_wrong, wrong)])


def _wrong(row: Row) -> str:
    words = {True: "allowed", False: "refused"}
    return f"{row.identity}: {row.verb} {row.resource}: {words[row.got]}, expected {words[row.expected]}"
