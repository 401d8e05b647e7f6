"""A mirror of the Hugging Face Hub for a room: it serves the models that this machine has.

    zephyrkit mirror            for this machine
    zephyrkit mirror --lan      for the room's network, with a key

Learners set HF_ENDPOINT to its address and use what they use anyway: ``hf
download``, ``zephyrkit download``, ``hf_hub_download``, ``from_pretrained``. It has
the repositories of this machine's Hugging Face cache, as far as they were downloaded,
and ``zephyrkit/practice``.

The key keeps strangers out who share the network; nothing is encrypted.
"""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as Asked
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..catalogue import PRACTICE
from ..downloader.cache import cache_folder
from .gate import Gate, check_key, make_key, refuse
from .instructions import instructions
from .repositories import PRACTICE_ID, NotHere, Repositories, git_id
from .traffic import KEPT, Pace, Recorder, Request

DEFAULT_PORT = 8765
"""The port of `run_mirror`; short enough to write on a whiteboard."""


def build_app(
    folders: dict[str, Path] | None = None,
    *,
    cache: Path | None = None,
    key: str | None = None,
    hosts: tuple[str, ...] = (),
    rate: float | None = None,
) -> Starlette:
    """The mirror as an ASGI application.

    ``folders`` are served beside the cache: repository id -> folder. ``cache`` is a
    Hugging Face cache, by default this user's. ``key`` is what clients must send as
    their token. ``hosts`` are names under which it may be asked besides this
    machine's own. ``rate`` is a limit in bytes a second and connection.

    Raises ValueError for a folder, a key or a rate that can't be.
    """
    if rate is not None and not rate > 0:
        raise ValueError(f"The rate is {rate}; it must be above 0 bytes a second.")
    if key is not None:
        check_key(key)
    repositories = Repositories({PRACTICE_ID: PRACTICE.parent, **(folders or {})}, cache or cache_folder())
    middleware = [Middleware(Gate, key=key, hosts=tuple(hosts))]
    if rate is not None:
        middleware.append(Middleware(Pace, rate=rate))
    app = Starlette(routes=_routes(), middleware=middleware, exception_handlers={NotHere: _not_here})
    app.state.repositories = repositories
    return app


def _routes() -> list[Route]:
    # An id is "owner/name", or "name" alone for the Hub's oldest repositories.
    return [
        Route(path.format(id=id), answer)
        for id in ("{owner}/{name}", "{name}")
        for path, answer in (
            ("/{id}/resolve/{{revision}}/{{file:path}}", _file),
            ("/api/models/{id}", _about),
            ("/api/models/{id}/revision/{{revision}}", _about),
            ("/api/models/{id}/tree/{{revision}}", _tree),
            ("/api/models/{id}/tree/{{revision}}/{{folder:path}}", _tree),
        )
    ]


# Answers are plain functions: Starlette runs them in threads, where reading the disk holds nobody up.


def _file(request: Asked) -> Response:
    repositories, _, version = _wanted(request)
    path = version.file(request.path_params["file"])
    headers = {"X-Repo-Commit": version.commit, "ETag": f'"{repositories.etag(path)}"', **_SAFE}
    return _Bytes(path, headers=headers, media_type="application/octet-stream", stat_result=path.stat())


class _Bytes(FileResponse):
    chunk_size = 2**18  # larger than Starlette's: fewer turns for files of gigabytes


_SAFE = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
"""Whatever a file holds, a browser neither shows it as a page nor lends it to another site."""


def _about(request: Asked) -> Response:
    """What the Hub tells of a repository, as far as it is known here; with ``blobs``, sizes and digests."""
    repositories, id, version = _wanted(request)
    detailed = request.query_params.get("blobs", "").lower() in ("1", "true")
    files = []
    for name, path in sorted(version.files.items()):
        entry = {"rfilename": name}
        if detailed:
            listed = _listed(repositories, name, path)
            entry |= {"size": listed["size"], "blobId": listed["oid"]}
            if "lfs" in listed:
                lfs = listed["lfs"]
                entry["lfs"] = {"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
        files.append(entry)
    facts = {"id": id, "modelId": id, "sha": version.commit, "siblings": files}
    return JSONResponse({**facts, "private": False, "gated": False, "disabled": False, "tags": []})


def _tree(request: Asked) -> Response:
    """The files and folders of a repository, or of a folder in it."""
    repositories, _, version = _wanted(request)
    folder = request.path_params.get("folder", "").strip("/")
    start = f"{folder}/" if folder else ""
    deep = request.query_params.get("recursive", "").lower() in ("1", "true")
    entries, folders = [], set()
    for name, path in sorted(version.files.items()):
        if not name.startswith(start):
            continue
        parts = name.removeprefix(start).split("/")
        folders |= {
            start + "/".join(parts[:depth]) for depth in range(1, len(parts) if deep else min(2, len(parts)))
        }
        if deep or len(parts) == 1:
            entries.append(_listed(repositories, name, path))
    if folder and not entries and not folders:
        raise NotHere("EntryNotFound", f"This mirror has no folder {folder!r} in commit {version.commit}.")
    # The Hub gives a folder git's id of it; nobody asks by that, and it isn't known here.
    entries += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": name} for name in sorted(folders)]
    return JSONResponse(entries)


def _listed(repositories: Repositories, name: str, path: Path) -> dict:
    size, etag = path.stat().st_size, repositories.etag(path)
    entry = {"type": "file", "oid": etag, "size": size, "path": name}
    if len(etag) == 64:  # in git there is only a note of it
        note = f"version https://git-lfs.github.com/spec/v1\noid sha256:{etag}\nsize {size}\n".encode()
        entry |= {"oid": git_id(note), "lfs": {"oid": etag, "size": size, "pointerSize": len(note)}}
    return entry


def _wanted(request: Asked):
    asked = request.path_params
    id = f"{asked['owner']}/{asked['name']}" if "owner" in asked else asked["name"]
    repositories = request.app.state.repositories
    return repositories, id, repositories.version(id, asked.get("revision", "main"))


def _not_here(_: Asked, error: NotHere) -> Response:
    return refuse(404, str(error), code=error.code)


@dataclass(frozen=True)
class Mirror:
    """A mirror that runs. ``address`` is what HF_ENDPOINT is set to."""

    address: str
    key: str | None
    repositories: Repositories = field(repr=False)
    other_addresses: tuple[str, ...] = ()
    """With ``lan``: where else it can be reached, if the machine is in several networks."""
    records: deque[Request] = field(default_factory=deque, repr=False)

    @property
    def log(self) -> list[Request]:
        """The requests so far, oldest first; the last 10,000 are kept."""
        return list(self.records)

    @property
    def instructions(self) -> str:
        """What to type on the learners' machines."""
        return instructions(self.address, self.key, self.repositories, self.other_addresses)


@contextmanager
def serve(
    folders: dict[str, Path] | None = None,
    *,
    cache: Path | None = None,
    port: int = 0,
    lan: bool = False,
    key: str | None = None,
    hosts: tuple[str, ...] = (),
    rate: float | None = None,
) -> Iterator[Mirror]:
    """Run a mirror in a thread for as long as the ``with`` block lasts.

    Port 0 is any free one. It listens on this machine only, unless ``lan`` is set: then
    on all its networks, and a key is made if none is given. The rest is as for
    `build_app`. At the end, running downloads are cut; they can be resumed.

    Raises OSError when the port is taken, and ValueError as `build_app` does.
    """
    key = make_key() if lan and key is None else key
    app = build_app(folders, cache=cache, key=key, hosts=hosts, rate=rate)
    app.state.repositories.read_ahead()
    records: deque[Request] = deque(maxlen=KEPT)
    with running(Recorder(app, records), port=port, lan=lan) as port:
        first, *others = [f"http://{address}:{port}" for address in (_addresses() if lan else ["127.0.0.1"])]
        yield Mirror(first, key, app.state.repositories, tuple(others), records)


@contextmanager
def running(app: ASGIApp, *, port: int = 0, lan: bool = False) -> Iterator[int]:
    """Serve an ASGI application from a thread; yields the port. Raises OSError when the port is taken."""
    listener = _listen("0.0.0.0" if lan else "127.0.0.1", port)
    server = uvicorn.Server(
        uvicorn.Config(
            app, http="h11", ws="none", lifespan="off", proxy_headers=False, log_config=None, log_level="critical", access_log=False,
            server_header=False, timeout_graceful_shutdown=0,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run, args=([listener],), name="mirror", daemon=True)
    thread.start()
    try:
        # The socket listens already: whoever asks before the thread is ready is answered when it is.
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Windows means something else by REUSEADDR: two programs on one port.
    option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
    listener.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(
            f"The mirror can't listen on port {port}: {error.strerror}. Another program, or another mirror, may have "
            "it. Choose another port, or 0 for any free one."
        ) from error
    return listener


def _addresses() -> list[str]:
    """This machine's IPv4 addresses in its networks; the one that leads outside comes first."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        address.address
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if name in up and address.family == socket.AF_INET and not address.address.startswith("127.")
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation; nothing is sent
            outward = probe.getsockname()[0]
        except OSError:
            outward = None
    return sorted(found, key=lambda address: address != outward) or ["127.0.0.1"]


def run_mirror(
    *,
    port: int = DEFAULT_PORT,
    lan: bool = False,
    key: str | None = None,
    hosts: tuple[str, ...] = (),
) -> None:
    """Serve this machine's models until Ctrl+C, and print what learners type. Raises as `serve` does."""
    with serve(port=port, lan=lan, key=key, hosts=hosts) as mirror:
        print(mirror.instructions, flush=True)
        # In short waits: on Windows, Ctrl+C doesn't end a long one.
        while not threading.Event().wait(0.5):
            pass
