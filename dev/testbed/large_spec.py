"""Large specs: one that a run can just be given, and one whose longest parts are full to the CRD's bounds."""

from typing import Any, Final

Document = dict[str, Any]

_COLUMNS: Final = 200
_DRIFT_COLUMNS: Final = 256
_VARIABLES: Final = 64
_VOLUMES: Final = 16
_ATTRIBUTES: Final = 16


def with_much_to_read(spec: Document) -> Document:
    """Return the spec with about 110 KB of names of columns: a run can be given 112 KiB."""
    return {
        **spec,
        "dataset": {**spec["dataset"], "columns": {"include": _names("c", _COLUMNS, 128)}},
        "drift": {"columns": [{"name": name, "method": "ks"} for name in _names("c", _DRIFT_COLUMNS, 256)]},
        "podTemplate": {"env": _variables("V", 4)},
    }


def with_all_to_the_bounds(spec: Document) -> Document:
    """Return the spec with its longest parts full, which the operator does not keep."""
    pods = {
        "env": _variables("V", _VARIABLES),
        "volumes": [_volume(name) for name in _names("v", _VOLUMES, 63)],
    }
    return {
        **with_much_to_read(spec),
        "podTemplate": pods,
        "retraining": {**spec.get("retraining", {}), "podTemplate": pods},
    }


def _names(start: str, count: int, length: int) -> list[str]:
    return [f"{start}{number:03}".ljust(length, "x") for number in range(count)]


def _variables(start: str, count: int) -> list[Document]:
    return [{"name": name, "value": "x" * 1024} for name in _names(start, count, 253)]


def _volume(name: str) -> Document:
    attributes = dict.fromkeys(_names("a", _ATTRIBUTES, 128), "x" * 512)
    return {"name": name, "csi": {"driver": "d" * 253, "volumeAttributes": attributes}}
