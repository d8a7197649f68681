"""Whether any value of a Secret that a pod has is shown: the data, or an error, quotes it in many forms."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from selfheal_operator.api.reasons import Purpose
from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, Ground, secret
from siege.runs import End, Wanted, ended, new_name, prepared
from siege.stranger import stranger
from siege.tables import plain_spec, table
from siege.web_server import Answer, web
from testbed.caller import collection
from testbed.unwatched_monitor import SLOT

_WRITER: Final = "whoever writes the data"
_SECRETS: Final = {
    "a data source": "lake s3cret/of+current",
    "MLflow": "mlfl0w-password=of siege",
    "a variable": 'variable\'s "s3cret" of siege',
    "a mounted volume": "mounted-s3cret-of-siege",
}
"""A value of each place where a pod may have one; with characters that are escaped somewhere."""
_TOKEN: Final = "the ServiceAccount"  # noqa: S105 - a place
_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "plain": str,
    "percent-encoded": lambda value: quote(value, safe=""),
    "base64": lambda value: base64.b64encode(f"ann:{value}".encode()).decode(),
    "JSON": lambda value: json.dumps(value)[1:-1],
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """All texts that a run has left, by where, and the values that its data has quoted."""

    texts: dict[str, str]
    quoted: dict[str, str]


def _spec(ground: Ground, mounted: str) -> dict[str, Any]:
    ground.apply(secret("lake", HOME, {"token": _SECRETS["a data source"]}))
    login = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": _SECRETS["MLflow"]}
    ground.apply(secret("mlflow-login", HOME, login))
    ground.apply(secret("odd", HOME, {"k": _SECRETS["a variable"]}))
    ground.apply(secret("mounted", HOME, {"k": _SECRETS["a mounted volume"]}))
    spec = plain_spec(ground)
    reference = {"name": "odd", "key": "k"}
    return {
        **spec,
        "threshold": 0.1,
        "drift": {"rule": "Evidently", "report": "OnDrift"},
        "mlflow": {"secretRef": {"name": "mlflow-login"}},
        "podTemplate": {
            "env": [{"name": "HARMLESS", "valueFrom": {"secretKeyRef": reference}}],
            "volumes": [{"name": "v", "secret": {"secretName": "mounted"}}],
            "volumeMounts": [{"name": "v", "mountPath": mounted}],
        },
    }


def _quoted(ground: Ground) -> _Shown:
    """Check data whose columns, categories and path quote every value in every form, all of which drift."""
    name, writer = new_name("masked"), stranger(ground)
    mounted = ground.folder / "mounted"
    mounted.mkdir(exist_ok=True)
    (mounted / "k").write_text(_SECRETS["a mounted volume"])
    wanted = Wanted(purpose=Purpose.CHECK, spec=_spec(ground, str(mounted)), mlflow=writer.uri, name=name)
    token = ground.pod_token(f"{name}-check-{_minute()}-s1ege")
    values = {**_SECRETS, _TOKEN: token}
    spec = {**wanted.spec, "dataset": {**wanted.spec["dataset"], **_sides(ground, values)}}
    pod = prepared(ground, Wanted(purpose=Purpose.CHECK, spec=spec, mlflow=writer.uri, name=name))
    if pod.token.read_text() != token:
        raise UntriedError("the pod has another token")
    return _Shown(_texts(ground, ended(ground, pod), name), values)


def _minute() -> int:
    return int(SLOT.timestamp()) // 60


def _sides(ground: Ground, quoted: dict[str, str]) -> dict[str, Any]:
    forms = [form(value) for value in quoted.values() for form in _FORMS.values()]
    folder = ground.data / new_name("quoted")
    folder.mkdir()
    sides: dict[str, Any] = {}
    for side, shift in (("reference", 0.0), ("current", 5.0)):
        made = table(3)
        for number, form in enumerate(dict.fromkeys(forms)):
            made[form] = made["x"] + shift
            made[f"words-{number}"] = "usual"
            made.loc[::2, f"words-{number}"] = form if shift else "usual"
        path = folder / f"{side}.parquet"
        made.to_parquet(path, index=False)
        sides[side] = {"uri": str(path)}
    place = f"/{quote(quoted['a data source'], safe='')}/{new_name('current')}.parquet"
    content = (folder / "current.parquet").read_bytes()
    sides["current"] = {"uri": web(ground).route(place, Answer(content)), "secretRef": {"name": "lake"}}
    return sides


def _texts(ground: Ground, end: End, name: str) -> dict[str, str]:
    if end.outcome.get("result") != "Drift":
        raise UntriedError(f"the data does not drift: {end.said}")
    writer = stranger(ground)
    query = {"experiment_ids": [writer.experiment(f"{HOME}/{name}")], "max_results": 100}
    runs = writer.asks("POST", "runs/search", query).get("runs", [])
    if not runs:
        raise UntriedError(f"nothing is in MLflow: {end.said}")
    ground.wait(lambda: name in _events(ground), "the operator has told of the drift")
    return {
        "the log": end.log,
        "the status": json.dumps(end.status, ensure_ascii=False),
        "the termination message": end.termination,
        "MLflow's tags, params and metrics": json.dumps(runs, ensure_ascii=False),
        "MLflow's artifacts": writer.texts(runs[0]["info"]["artifact_uri"]),
        "Events": _events(ground),
    }


def _events(ground: Ground) -> str:
    return ground.admin.ask("GET", collection("events", HOME)).text


def _shows(where: str, form: str) -> Attack:
    """Return the attack of data that quotes a value in a form: no text that a run leaves may have it."""

    def do(ground: Ground) -> Seen:
        shown = ground.once("quoted secrets", _quoted)
        quoted = _FORMS[form](shown.quoted[where])
        found = [place for place, text in shown.texts.items() if _holds(text, quoted)]
        got = f"shown in {', '.join(found)}" if found else f"not shown in {len(shown.texts)} texts"
        return Seen(got, succeeded=bool(found))

    return Attack(f"data that quotes a Secret of {where}, {form}", 5, _WRITER, do, "not shown in 6 texts")


def _holds(text: str, value: str) -> bool:
    """Return whether a text has a value, also where the text is JSON, which escapes it."""
    return value in text or json.dumps(value)[1:-1] in text


ATTACKS: Final = tuple(_shows(where, form) for where in (*_SECRETS, _TOKEN) for form in _FORMS)
