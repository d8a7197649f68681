"""A line of keys in which tenants are served in turn."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class FairLine(Generic[K]):
    """Keys that wait: one of each tenant in turn (round robin), and of each tenant the oldest first.

    A tenant with five thousand keys delays another's key by one turn. Adding, removing and taking a key are
    O(1), however many keys and tenants wait.

    Args:
        tenant_of: Returns whose key it is.
    """

    def __init__(self, tenant_of: Callable[[K], Hashable]) -> None:
        self._tenant_of = tenant_of
        self._keys: OrderedDict[Hashable, OrderedDict[K, None]] = OrderedDict()
        """By tenant; the tenant whose turn it is comes first."""

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __len__(self) -> int:
        return sum(map(len, self._keys.values()))

    def add(self, key: K) -> None:
        """Add a key, behind the other keys of its tenant."""
        tenant = self._tenant_of(key)
        keys = self._keys.get(tenant)
        if keys is None:
            keys = self._keys[tenant] = OrderedDict()
        keys[key] = None

    def remove(self, key: K) -> None:
        """Remove a key that waits; it does not cost its tenant a turn."""
        tenant = self._tenant_of(key)
        keys = self._keys[tenant]
        del keys[key]
        if not keys:
            del self._keys[tenant]

    def take(self) -> K:
        """Remove and return the next key; raises StopIteration if none waits."""
        tenant = next(iter(self._keys))
        keys = self._keys[tenant]
        key, _ = keys.popitem(last=False)
        if keys:
            self._keys.move_to_end(tenant)
        else:
            del self._keys[tenant]
        return key
