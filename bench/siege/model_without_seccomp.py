"""The process of a model that may make any system call: see `weakenings`."""

from selfheal_jobs.isolation import confinement
from selfheal_jobs.isolation.model_process import main

if __name__ == "__main__":
    confinement._refuse_calls = lambda: None  # noqa: SLF001 - exchanged
    main()
