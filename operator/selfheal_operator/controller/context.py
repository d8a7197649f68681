"""The state that the controller's components share: the store, and the leader's reconciler."""

from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.metrics.instruments import Instruments


class Context:
    """The store, and the reconciler that acts on it."""

    def __init__(
        self, store: Store, reconciler: Reconciler | None = None, instruments: Instruments | None = None
    ) -> None:
        self.store = store
        self.instruments = instruments or Instruments()
        self.reconciler = reconciler
        """None on a standby, which only keeps the store up to date."""

    def wake(self, key: Key) -> None:
        """Queue the monitor for reconciliation, if this replica leads."""
        if self.reconciler is not None:
            self.reconciler.queue.add(key)

    def give_turns(self) -> None:
        """Grant turns to waiting monitors: a Job may have ended."""
        if self.reconciler is not None:
            self.reconciler.capacity.give_turns()
