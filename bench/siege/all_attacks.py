"""All attacks, by kind: one file for each."""

from collections.abc import Mapping
from typing import Final

from siege import (
    data,
    databases,
    forged_reports,
    masking,
    models,
    one_job,
    operator_token,
    poison,
    profiles,
    rights,
    stored_statuses,
    tracking,
)
from siege.attack import Attack

KINDS: Final[Mapping[str, tuple[Attack, ...]]] = {
    "rights": rights.ATTACKS,
    "forged-reports": forged_reports.ATTACKS,
    "operator-token": operator_token.ATTACKS,
    "stored-statuses": stored_statuses.ATTACKS,
    "models": models.ATTACKS,
    "tracking": tracking.ATTACKS,
    "one-job": one_job.ATTACKS,
    "data": data.ATTACKS,
    "databases": databases.ATTACKS,
    "profiles": profiles.ATTACKS,
    "masking": masking.ATTACKS,
    "poison": poison.ATTACKS,
}
