"""The process of a model without Landlock: see `weakenings`."""

from typing import Any, Self

from selfheal_jobs.isolation import confinement
from selfheal_jobs.isolation.model_process import main


class _NoRules:
    def __init__(self, **_: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def allow_path(self, *_: Any) -> None:
        """Allow nothing, as all is allowed."""

    def restrict(self) -> None:
        """Restrict nothing."""


if __name__ == "__main__":
    confinement.Ruleset = _NoRules  # type: ignore[attr-defined,assignment]  # exchanged
    main()
