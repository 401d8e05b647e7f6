"""Why a download failed: from what httpx, huggingface-hub and the system raise to one error a cause.

huggingface-hub reports a missing network, a busy Hub and offline mode as the same
error, and a closed repository as one that doesn't exist. The status, the
``X-Error-Code`` header and the chain of causes say which it was.
"""

import errno
import socket
from dataclasses import dataclass
from pathlib import Path
from time import time
from urllib.parse import urlsplit

from ..errors import (
    DownloadError,
    DownloadIncomplete,
    GatedRepo,
    HubBusy,
    HubUnreachable,
    LoginNeeded,
    NoSuchFile,
    NoSuchRepository,
    NotEnoughDisk,
    NotInCache,
)
from .progress import amount
from .wanted import Wanted

HF = "https://huggingface.co"


@dataclass(frozen=True)
class Cause:
    """An error in our words, and how long the Hub wants us to wait, seconds, where it says so."""

    error: DownloadError
    wait: float | None = None


def cause(error: BaseException, wanted: Wanted, endpoint: str) -> Cause:
    """What lies behind an exception that came while asking ``endpoint`` for a file."""
    if isinstance(error, DownloadError):
        return Cause(error)
    response = getattr(error, "response", None)
    if response is not None:
        return _of_status(response, wanted, endpoint)
    return Cause(_of_network(error, wanted, endpoint))


def _of_status(response, wanted: Wanted, endpoint: str) -> Cause:
    status, code = response.status_code, response.headers.get("X-Error-Code", "")
    repository, page = wanted.repository.id, f"{endpoint}/{wanted.repository.id}"
    said = response.headers.get("X-Error-Message")
    said = f' It says: "{said[:200]}".' if said else ""
    if code == "GatedRepo":
        return Cause(
            GatedRepo(
                f"{repository} is open only to those who have accepted its terms ({status}). Log in on "
                f"{HF}/{repository} , accept them there, then give your token: run hf auth login, or set HF_TOKEN."
            )
        )
    if code == "RepoNotFound" or (status == 404 and not code and not wanted.file):
        return Cause(
            NoSuchRepository(
                f"{endpoint} has no repository {repository} ({status}), or only for those who are logged in. "
                f"Look at {page} ; if you see it there, run hf auth login, or set HF_TOKEN."
            )
        )
    if code == "RevisionNotFound":
        return Cause(
            NoSuchFile(
                f"{repository} has no revision {wanted.revision!r} ({status}). Its branches and commits are "
                f"listed on {page}/commits/main ."
            )
        )
    if status == 404:
        else_where = (
            "" if code else f" It doesn't say so as a Hub does: is {endpoint} one? Check HF_ENDPOINT."
        )
        return Cause(
            NoSuchFile(
                f"{repository} has no file {wanted.file} at revision {wanted.revision!r} ({status}). Its files "
                f"are listed on {page}/tree/{wanted.revision} .{else_where}"
            )
        )
    if status in (401, 403, 407):
        return Cause(
            LoginNeeded(
                f"{endpoint} doesn't give {repository} to {_who(response)} ({status}).{said} Run hf auth login, "
                "or set HF_TOKEN to a token, or a mirror's key, that may read it."
            )
        )
    if status in (408, 425, 429) or status >= 500:
        why = "too many requests" if status == 429 else "an error of its own"
        return Cause(
            HubBusy(
                f"{endpoint} answered {status}, {why}.{said} Wait some minutes and try again, or take another "
                "mirror: set HF_ENDPOINT."
            ),
            _retry_after(response),
        )
    return Cause(
        DownloadError(
            f"{endpoint} answered {status} to the request for {wanted.file or repository}.{said} That is not "
            f"what a Hub does: check HF_ENDPOINT, and look at {page} with a browser."
        )
    )


def _who(response) -> str:
    return "the owner of this token" if "authorization" in response.request.headers else "unknown visitors"


def _retry_after(response) -> float | None:
    """Seconds from Retry-After, given as a number or as a date, or from the Hub's own ratelimit header."""
    value = response.headers.get("Retry-After")
    if value is None:
        from huggingface_hub.utils import parse_ratelimit_headers

        limit = parse_ratelimit_headers(response.headers)
        return float(limit.reset_in_seconds) if limit else None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None


def _of_network(error: BaseException, wanted: Wanted, endpoint: str) -> DownloadError:
    import httpx
    from huggingface_hub.errors import OfflineModeIsEnabled

    chain = list(_chain(error))
    host = urlsplit(endpoint).hostname or endpoint
    if any(isinstance(link, OfflineModeIsEnabled) for link in chain):
        return NotInCache(
            f"{wanted.file or wanted.repository.id} isn't on this machine, and huggingface-hub was loaded in "
            "offline mode. Unset HF_HUB_OFFLINE and start the kernel again."
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return DownloadIncomplete(f"{endpoint} closed the connection before it had sent everything.")
    why = _network_reason(chain, host)
    if why is None:
        why = f"{endpoint} can't be asked: {str(error).rstrip('.') or type(error).__name__}."
    return HubUnreachable(f"{why} {_remedy(endpoint)}")


def _network_reason(chain: list[BaseException], host: str) -> str | None:
    import ssl

    import httpx

    numbers = {link.errno for link in chain if isinstance(link, OSError)}
    if any(isinstance(link, httpx.ProxyError) for link in chain):
        return f"The proxy that HTTPS_PROXY or HTTP_PROXY names doesn't let us through to {host}."
    if any(isinstance(link, socket.gaierror) for link in chain):
        return f"The name {host} can't be found: there is no network, or no such host."
    if any(isinstance(link, ssl.SSLError) for link in chain):
        return f"The certificate of {host} isn't trusted here; some networks replace it, and so does a wrong clock."
    if any(isinstance(link, ConnectionRefusedError) for link in chain):
        return f"{host} refuses the connection: nothing listens there."
    if numbers & {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}:
        return f"There is no way to {host}: the network is down."
    if any(isinstance(link, TimeoutError | httpx.TimeoutException) for link in chain):
        return f"{host} doesn't answer."
    return None


def _remedy(endpoint: str) -> str:
    if endpoint == HF:
        return "Check the network, or use a mirror near you: set HF_ENDPOINT to its address."
    return f"Check the network, and the address in HF_ENDPOINT: it is {endpoint} now."


def no_hub(endpoint: str, what: str) -> HubUnreachable:
    """Somebody answers there, but not in the Hub's protocol."""
    return HubUnreachable(
        f"{what} came from {endpoint}, not a model: the network may want you to log in, or the address is "
        f"wrong. Open a web page in a browser. {_remedy(endpoint)}"
    )


def no_space(folder: Path, need: int, free: int, file: str) -> NotEnoughDisk:
    """The file doesn't fit."""
    return NotEnoughDisk(
        f"{file} needs {amount(need)} more on the disk, but {folder} has only {amount(free)} free "
        f"({need:,} and {free:,} bytes). Make room, or set HF_HUB_CACHE to a folder on a larger disk."
    )


def of_disk(error: OSError, folder: Path, file: str, done: int, total: int) -> DownloadError:
    """What it means when the disk refuses a write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NotEnoughDisk(
            f"The disk of {folder} is full: {done:,} of {total:,} bytes of {file} are there and kept. Make "
            f"room for {amount(max(0, total - done))} and try again, or set HF_HUB_CACHE to a folder on a larger disk."
        )
    return DownloadError(
        f"{file} can't be written to {folder}: {error.strerror or error}. Set HF_HUB_CACHE to a folder that "
        "you may write to."
    )


def _chain(error: BaseException | None):
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
