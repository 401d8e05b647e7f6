"""The chat window: a view of a conversation, with all its buttons as methods.

The conversation is the truth. The window keeps no history; it listens, and
whatever changes the conversation (a button, another window, a cell) shows up in
it. Replies that the window asks for are generated in a thread of their own, so
that the notebook stays usable and Stop is heard.

The front end (``chat*.js``, joined into one module) draws what is sent from
here: ``state``, the whole picture, when something has changed for good, and
small messages with new text while a reply is on its way (`chat_stream`).
"""

import contextvars
import threading
import uuid
from collections.abc import Callable
from typing import Any, Literal

import anywidget
import traitlets

from ..chat import PRESETS, Reply
from ..conversation import Conversation, Event
from .chat_keep import Still, as_python, as_text, heading
from .chat_stream import LiveReply
from .chat_view import Rows, controls, explain, gauge, with_controls, with_preset
from .kernel import hear_stop, stop_on_interrupt
from .window import as_safe_json, script, style

_MEDIA_TYPES = {"json": "application/json", "md": "text/markdown", "html": "text/html"}

# What the window may ask for, and the method that does it.
_ACTIONS = {
    "send": "send_text", "retry": "retry", "edit": "edit", "stop": "stop", "undo": "undo", "clear": "clear",
    "show_try": "show_try", "preset": "use_preset", "sampling": "_change_sampling",
    "system": "_change_system", "draft": "_draft_changed", "file": "_send_file", "python": "_send_python",
    "picture": "_send_picture",
}  # fmt: skip


def _picture(state: dict[str, Any], window: "ChatWidget") -> str:
    """The state with what changes too often to be sent with it: a new view needs it all."""
    live = window._live
    return as_safe_json({**state, "live": live.snapshot() if live else None, "gauge": window._gauge})


class ChatWidget(anywidget.AnyWidget):
    """A window on a conversation.

    Show it as the last line of a cell. `send_text`, `retry`, `edit`, `stop`,
    `undo`, `clear`, `show_try` and `use_preset` do what the buttons do; the
    first three return at once, and `wait` waits for the reply. The system prompt
    and the sampling are the conversation's: set them there.
    """

    _esm = script("chat", "chat_frame", "chat_turns", "chat_live", "chat_kernel", "chat_small")
    _css = style("look", "chat")
    _address = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True, to_json=_picture)

    def __init__(self, conversation: Conversation):
        self.conversation = conversation
        self.error: BaseException | None = None
        self._rows = Rows(conversation)
        self._live: LiveReply | None = None
        self._last = conversation.turns[-1] if conversation.turns else None
        self._generation = 0
        self._reply: Reply | None = None
        self._sending = ""
        self._unsent = ""
        self._draft = ""
        self._gauge: dict[str, Any] | None = None
        self._workers: list[threading.Thread] = []
        self._lock = threading.RLock()
        super().__init__(_address=uuid.uuid4().hex)
        self._stop_listening = conversation.listen(self._on_event)
        self.on_msg(self._on_message)
        hear_stop(self._address, self)
        self._gauge = gauge(conversation, "")
        self._show()

    # -- what the buttons do -----------------------------------------------------

    def send_text(self, text: str) -> None:
        """Send a message; the reply comes in its own time (`wait`)."""
        self._draft, self._sending = "", text
        self._generate(lambda: self.conversation.send(text), unsent=text)

    def retry(self) -> None:
        """Ask the latest message again."""
        self._generate(self.conversation.retry)

    def edit(self, index: int, text: str) -> None:
        """Say something else at turn ``index`` (0 is the first)."""
        self._generate(lambda: self.conversation.edit(index, text))

    def stop(self, generation: int | None = None) -> None:
        """End the reply that is on its way; with ``generation``, only if it is still that one.

        The number keeps a Stop that was held up from hitting a later reply.
        """
        if generation in (None, self._generation):
            self.conversation.stop()

    def undo(self) -> None:
        """Take back the latest change."""
        self.conversation.undo()

    def clear(self) -> None:
        """Start again with the same system prompt; `undo` brings the turns back."""
        self.conversation.clear()

    def show_try(self, index: int, number: int) -> None:
        """Go to try ``number`` (from 1) of turn ``index``, and on to where that branch had got."""
        self.conversation.switch(self._rows.another_try(index, number))

    def use_preset(self, name: str) -> None:
        """Choose a preset of `zephyrkit.PRESETS`; seed and max_tokens stay."""
        self.conversation.sampling = with_preset(self.conversation.sampling, name)

    # -- from Python -------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a reply is on its way, whoever asked for it."""
        return self._live is not None

    def wait(self, timeout: float | None = None) -> Reply | None:
        """Wait until the replies asked for here have ended; the latest one, or None when it failed.

        What went wrong is in `error`, and in the window. Raises TimeoutError
        after ``timeout`` seconds. ■ during the wait ends the reply.
        """
        try:
            for worker in list(self._workers):
                worker.join(timeout)
                if worker.is_alive():
                    raise TimeoutError(f"No reply within {timeout} s. Wait longer, or call stop().")
        except KeyboardInterrupt:
            self.stop()
            raise
        return self._reply

    def freeze(self) -> Still:
        """The conversation as it stands, to show where no kernel runs: on GitHub, in a web page."""
        return Still(self.conversation)

    def as_python(self) -> str:
        """A cell that rebuilds this conversation."""
        return as_python(self.conversation)

    def close(self) -> None:
        """Close the window; the conversation goes on."""
        getattr(self, "_stop_listening", lambda: None)()
        super().close()

    def __repr__(self) -> str:
        return as_text(heading(self.conversation), self.conversation.messages)

    # -- what the conversation tells ----------------------------------------------

    def _on_event(self, event: Event) -> None:
        if event.kind == "piece":
            if self._live is None:  # the window was opened in the middle of a reply
                self._begin("…", self._last)
            self._live.add(event.piece)
        elif event.kind == "started":
            self.error, self._unsent = None, ""
            self._begin(event.text, event.before)
        elif event.kind == "ended":
            self._live = None
            self._reply = event.reply
            self.error = event.error
            if event.reply and event.reply.finish_reason == "cancelled" and not event.reply.text:
                self._unsent = self._sending  # stopped before the first word: nothing was recorded
            self._sending = ""
            self._show()
            self._count()
        else:
            self.error, self._unsent = None, ""
            self._show()
            self._count()

    def _begin(self, user: str, before: Any) -> None:
        self._generation += 1
        self._last = before
        self._live = LiveReply(self._generation, user, self.send)
        self._show()
        stop_on_interrupt()

    def _show(self) -> None:
        """Bring ``state``, and with it every view, up to date."""
        with self._lock:
            conversation = self.conversation
            if self._live is None:
                self._last = conversation.turns[-1] if conversation.turns else None
            self.state = {
                "model": conversation.model.name,
                "rows": self._rows.upto(self._last),
                "system": conversation.system or "",
                "sampling": controls(conversation.sampling),
                "presets": list(PRESETS),
                "overflow": conversation.overflow,
                "generation": self._generation,
                "error": explain(self.error) if self.error else "",
                "unsent": self._unsent,
                "draft": self._draft,
            }

    def _count(self) -> None:
        """Send the gauge: after the picture, since counting a long history takes a moment."""
        if not self.busy:
            self._gauge = gauge(self.conversation, self._draft)
            self.send({"kind": "gauge", "gauge": self._gauge})

    # -- what the window asks ------------------------------------------------------

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        arguments = dict(message)
        action, view = arguments.pop("do", None), arguments.pop("view", None)
        self.send({"kind": "heard", "do": action, "view": view})
        try:
            if action not in _ACTIONS:
                raise ValueError(f"The window asked for {action!r}, which it can't. Reload the page.")
            answer = getattr(self, _ACTIONS[action])(**arguments)
            if isinstance(answer, dict):
                self.send({**answer, "view": view})
        except Exception as error:
            self._fail(error)

    def _generate(self, talk: Callable[[], Reply], unsent: str = "") -> None:
        """Talk in a thread of its own. Returns once the reply has begun, so that stop() finds it."""
        begun = threading.Event()

        def work() -> None:
            stop_listening = self.conversation.listen(lambda event: begun.set())
            try:
                talk()
            except Exception as error:
                self._reply = None
                self._fail(error, unsent)
            finally:
                stop_listening()
                begun.set()

        # The context carries the cell that the output belongs to; a bare thread has lost it.
        worker = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
        self._workers = [known for known in self._workers if known.is_alive()] + [worker]
        worker.start()
        begun.wait(timeout=1)

    def _fail(self, error: Exception, unsent: str = "") -> None:
        self.error, self._unsent = error, unsent
        self._show()

    def _change_sampling(self, changes: dict[str, Any]) -> None:
        self.conversation.sampling = with_controls(self.conversation.sampling, changes)

    def _change_system(self, text: str) -> None:
        self.conversation.system = text

    def _draft_changed(self, text: str) -> None:
        self._draft = text
        self._count()

    def _send_file(self, form: Literal["json", "md", "html"]) -> dict[str, Any]:
        text = self.conversation.export(form)
        return {
            "kind": "file",
            "name": f"conversation.{form}",
            "media_type": _MEDIA_TYPES[form],
            "text": text,
        }

    def _send_python(self) -> dict[str, Any]:
        return {"kind": "copy", "text": self.as_python()}

    def _send_picture(self) -> None:
        self.send_state("state")
