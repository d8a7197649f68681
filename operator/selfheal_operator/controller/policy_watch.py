"""Says when the admission policies are missing, which no request of the operator's own would show."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, Protocol

from selfheal_operator.core.errors import RejectedError, SelfhealError
from selfheal_operator.metrics.instruments import Instruments

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 30.0
"""How soon to look again when the API server did not answer."""


class Policies(Protocol):
    """Tells which admission policies are enforced, by their names."""

    async def enforced(self) -> Mapping[str, bool]:
        """Return whether each policy is enforced, or raise SelfhealError if that cannot be read."""


class PolicyWatch:
    """Looks at the start, and periodically: policies may be installed or removed at any time.

    Args:
        policies: Reads the policies.
        instruments: Show what was found.
        period_seconds: The time between two looks.
    """

    def __init__(self, policies: Policies, instruments: Instruments, period_seconds: float) -> None:
        self._policies = policies
        self._instruments = instruments
        self._period_seconds = period_seconds
        self._said = ""

    async def run(self) -> None:
        """Look for ever."""
        while True:  # noqa: ASYNC110 - there is nothing to wait for but time
            await asyncio.sleep(await self.look())

    async def look(self) -> float:
        """Look once; return after how many seconds to look again."""
        try:
            enforced = await self._policies.enforced()
        except RejectedError as error:  # not knowing is no finding: there is no series then, and no alert
            self._instruments.show_policies({})
            self._say(
                logging.INFO, "May not look whether the admission policies are enforced", error=str(error)
            )
        except SelfhealError:
            return min(RETRY_SECONDS, self._period_seconds)
        else:
            self._instruments.show_policies(enforced)
            self._tell([name for name, is_enforced in enforced.items() if not is_enforced])
        return self._period_seconds

    def _tell(self, missing: list[str]) -> None:
        if missing:
            hint = "apply manifests/ again; docs/security.md says what does not hold without them"
            what = "Admission policies are missing, or do not deny"
            self._say(logging.WARNING, what, policies=", ".join(missing), hint=hint)
        else:
            self._say(logging.INFO, "The admission policies are enforced")

    def _say(self, level: int, what: str, **details: str) -> None:
        """Log what is new, not what was said before."""
        if (said := f"{what} {details}") != self._said:
            logger.log(level, what, extra=details)
        self._said = said
