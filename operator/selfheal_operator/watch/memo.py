"""The memo that kopf passes to each handler: the controller's context, the engine, and the HTTP session."""

from typing import Self

from selfheal_operator.controller.context import Context
from selfheal_operator.controller.store import Store
from selfheal_operator.kube.engine import Engine
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.watch.session import WatchSession


class Memo(Context):
    """kopf copies its memo for every object; this one stays the same."""

    def __init__(
        self, store: Store, session: WatchSession, engine: Engine, instruments: Instruments | None = None
    ) -> None:
        super().__init__(store, instruments=instruments)
        self.session = session
        self.engine = engine
        """Reads runs from their objects."""

    def __copy__(self) -> Self:
        return self
