"""What the parts of the controller share: the store, and the reconciler of a leader."""

from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.store import Key, Store


class Context:
    """The store of what is known, and who acts on it."""

    def __init__(self, store: Store, reconciler: Reconciler | None = None) -> None:
        self.store = store
        self.reconciler = reconciler
        """Of a leader; a standby has none, and only keeps the store true."""

    def wake(self, key: Key) -> None:
        """Have the monitor looked at."""
        if self.reconciler is not None:
            self.reconciler.queue.add(key)

    def give_turns(self) -> None:
        """Let those start who wait for room: a Job may have ended."""
        if self.reconciler is not None:
            self.reconciler.capacity.give_turns()
