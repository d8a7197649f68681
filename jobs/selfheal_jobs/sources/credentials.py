"""Reads the keys of a source's Secret from the container's environment variables.

The operator prefixes the keys of each source's Secret with the source's own prefix, so that the reference
and the current data may come from two accounts of one provider.
"""

import os
from collections.abc import Mapping

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.place import Place


def secret_values(place: Place) -> Mapping[str, str]:
    """Return the keys of the source's Secret and their values; empty if the spec names no Secret."""
    if place.secret is None:
        return {}
    start = len(place.env_prefix)
    return {
        name[start:]: value.strip()
        for name, value in os.environ.items()
        if place.env_prefix and name.startswith(place.env_prefix)
    }


def setting(place: Place, *names: str) -> str | None:
    """Return a setting such as a region, from the source's Secret or otherwise from podTemplate.env."""
    values = secret_values(place)
    found = [values.get(name) or os.environ.get(name) for name in names]
    return next((each for each in found if each), None)


def lacks(place: Place, *keys: str) -> DataError:
    """Return the error for a Secret that lacks keys which its source needs."""
    return place.denied(f"the Secret has no key {' and no key '.join(keys)}")
