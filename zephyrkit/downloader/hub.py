"""Asking the Hub, or a mirror of it: what a file is called there, how long it is, which files there are."""

import os
import queue
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..errors import DownloadCancelled, DownloadIncomplete, HubBusy
from .causes import HF, cause, no_hub
from .progress import Reporter
from .wanted import COMMIT, Wanted, belongs_to_weights

ANSWER_S = 4.0
"""Seconds in which somebody must answer. Names that don't resolve and hosts that are gone cost no more."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try where the Hub names no time itself."""

LONGEST_PAUSE_S = 60.0
"""If the Hub asks for more patience than this, the caller decides."""

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,199}")

T = TypeVar("T")


@dataclass(frozen=True)
class Announced:
    """What the Hub says of a file: its commit, its name in the cache (a digest), its size and its address."""

    commit: str
    etag: str
    size: int
    url: str
    endpoint: str
    xet: bool
    """Whether it can also be had over Xet."""


def offline() -> bool:
    """Whether the user wants no network: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE, as they are now."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in ("1", "ON", "YES", "TRUE")


def endpoint() -> str:
    """Whom to ask: HF_ENDPOINT as it is now; huggingface-hub itself reads it once, at its import."""
    return (os.environ.get("HF_ENDPOINT") or HF).rstrip("/")


def announce(wanted: Wanted, reporter: Reporter, cancel: threading.Event) -> Announced:
    """Ask for one file. Raises the DownloadError that says why not; a busy Hub is asked again."""
    reporter.enter("connecting", f"Asking {endpoint()} for {wanted.file}.")
    return _patiently(lambda: _head(wanted, endpoint()), wanted, reporter, cancel)


def weights_listed(wanted: Wanted, reporter: Reporter, cancel: threading.Event) -> tuple[str, list[str]]:
    """The commit behind a revision, and the files of the original weights in it."""
    reporter.enter("connecting", f"Asking {endpoint()} for the files of {wanted.repository.id}.")
    return _patiently(lambda: _list(wanted, endpoint()), wanted, reporter, cancel)


def xet_wanted() -> bool:
    """Whether the user has asked for Xet: HF_HUB_DISABLE_XET=0, set before huggingface-hub was loaded.

    Off otherwise: HF_ENDPOINT doesn't redirect it, and plain HTTP is what is tested here.
    """
    from huggingface_hub.utils._runtime import is_xet_available

    return (
        os.environ.get("HF_HUB_DISABLE_XET", "").upper() in ("0", "OFF", "NO", "FALSE") and is_xet_available()
    )


def pause(seconds: float, note: str, reporter: Reporter, cancel: threading.Event) -> None:
    """Wait, say why, and stop at once when cancelled."""
    reporter.enter("waiting", note)
    if cancel.wait(seconds):
        raise stopped()


def stopped(kept: str = "What has arrived is kept; the next call goes on from there.") -> DownloadCancelled:
    return DownloadCancelled(f"You stopped the download. {kept}")


def in_thread(
    work: Callable[[], T],
    cancel: threading.Event,
    limit: float | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> T:
    """Do ``work`` in a thread that can be left alone with it.

    Python can't interrupt a thread that resolves a name or waits for a socket. This one
    holds no file and no lock, so that whoever waits for it may go away, when cancelled
    or after ``limit`` seconds (TimeoutError), and it ends unheard.
    """
    box: queue.SimpleQueue = queue.SimpleQueue()

    def run() -> None:
        try:
            box.put((work(), None))
        except BaseException as error:
            box.put((None, error))

    threading.Thread(target=run, name="zephyrkit-hub", daemon=True).start()
    end = None if limit is None else time.monotonic() + limit
    while True:
        try:
            result, error = box.get(timeout=0.05)
        except queue.Empty:
            meanwhile()
            if cancel.is_set():
                raise stopped() from None
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"no answer in {limit:g} s") from None
            continue
        if error is not None:
            raise error
        return result


def _patiently(ask: Callable[[], T], wanted: Wanted, reporter: Reporter, cancel: threading.Event) -> T:
    in_thread(_load_hub, cancel)
    for number, seconds in enumerate((*PAUSES_S, None), 1):
        try:
            return in_thread(ask, cancel, ANSWER_S + 0.5)
        except DownloadCancelled:
            raise
        except Exception as error:
            why = cause(error, wanted, endpoint())
            if isinstance(why.error, DownloadIncomplete):  # of an answer, not of a file
                raise no_hub(endpoint(), f"No proper answer ({error})") from error
            wait = seconds if why.wait is None else why.wait
            if isinstance(why.error, HubBusy) and (wait is None or seconds is None or wait > LONGEST_PAUSE_S):
                raise busy(why.error, number, why.wait) from error
            if not isinstance(why.error, HubBusy):
                raise why.error from error
        pause(wait, f"{why.error} Try {number + 1} follows in {wait:.0f} s.", reporter, cancel)
    raise AssertionError("the last round raises or returns")


def busy(error: HubBusy, tries: int, wait: float | None) -> HubBusy:
    """The error that ends patience: how often it was asked, and how long the Hub wants to be left alone."""
    times = "once" if tries == 1 else f"{tries} times"
    asks = f" It asks to be left alone for {wait:.0f} s." if wait else ""
    return HubBusy(f"{error} It was asked {times}.{asks}")


def _load_hub() -> None:
    # Only loading: not counted as the network's time.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    import huggingface_hub.file_download  # noqa: F401


def _head(wanted: Wanted, server: str) -> Announced:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(wanted.repository.id, wanted.file, revision=wanted.revision, endpoint=server)
    asked: dict[str, Any] = {"timeout": ANSWER_S, "endpoint": server}
    for _ in range(5):
        found = get_hf_file_metadata(url, **asked)
        if found.commit_hash or found.location == url:
            break
        # A redirect of the whole address, not to the file's storage: ask there, a stranger without the token.
        if urlsplit(found.location).netloc != urlsplit(url).netloc:
            asked["token"] = False
        url = found.location
    etag = found.etag or ""
    if not COMMIT.fullmatch(found.commit_hash or "") or not _NAME.fullmatch(etag) or found.size is None:
        raise no_hub(server, "Something else")
    # At its commit, so that a branch that moves meanwhile can't mix two versions.
    at_commit = replace(wanted, revision=found.commit_hash)
    address = hf_hub_url(wanted.repository.id, wanted.file, revision=at_commit.revision, endpoint=server)
    return Announced(
        found.commit_hash, etag, found.size, address, server, xet=found.xet_file_data is not None
    )


def _list(wanted: Wanted, server: str) -> tuple[str, list[str]]:
    from huggingface_hub import HfApi

    found = HfApi(endpoint=server).model_info(
        wanted.repository.id, revision=wanted.revision, timeout=ANSWER_S
    )
    if not COMMIT.fullmatch(found.sha or ""):
        raise no_hub(server, "Something else")
    files = [sibling.rfilename for sibling in found.siblings or []]
    return found.sha, [file for file in files if belongs_to_weights(file)]
