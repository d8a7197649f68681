"""Maps a place to its source: the module in `types/` has the name of the address's type in the API."""

from importlib import import_module

from selfheal_jobs.sources import types
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.source import Source
from selfheal_operator.api.v1alpha1.dataset import source_type


def source_of(place: Place) -> Source:
    """Return the source of a place. A database's client takes half a second to import, a web client 0.3 s."""
    module = import_module(f"{types.__name__}.{source_type(place.source.uri).name}")
    found: Source = module.SOURCE
    return found
