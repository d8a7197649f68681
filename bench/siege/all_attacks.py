"""All attacks, by kind: one file for each."""

from collections.abc import Mapping
from typing import Final

from siege import forged_reports, operator_token, poison, rights, stored_statuses
from siege.attack import Attack

KINDS: Final[Mapping[str, tuple[Attack, ...]]] = {
    "rights": rights.ATTACKS,
    "forged-reports": forged_reports.ATTACKS,
    "operator-token": operator_token.ATTACKS,
    "stored-statuses": stored_statuses.ATTACKS,
    "poison": poison.ATTACKS,
}
