"""A conversation with a model: turns that can be retried, edited, undone and saved.

A conversation never shows anything; widgets listen to it.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from .chat import ChatModel, Piece, Reply, Sampling
from .errors import ContextOverflow, ConversationError, ModelBusy
from .prompt import Message, Prompt
from .transcript import read_messages, write_transcript


@dataclass(frozen=True)
class Turn:
    """A user's message and the reply to it: recorded whole, or not at all."""

    user: str
    reply: Reply
    before: "Turn | None" = field(default=None, repr=False)

    def path(self) -> list["Turn"]:
        """The turns from the first one to this one."""
        turns, turn = [], self
        while turn is not None:
            turns.append(turn)
            turn = turn.before
        return turns[::-1]


@dataclass(frozen=True)
class Usage:
    """How the context is filled, in tokens. ``left`` are the turns that no longer fit, oldest first."""

    context: int
    system: int
    history: int
    draft: int
    reply_room: int
    left: tuple[int, ...] = ()


@dataclass(frozen=True)
class Event:
    """What a conversation tells its listeners.

    ``started`` (a turn begins; ``text`` is the user's, ``before`` the turn that
    it follows), ``piece``, ``ended`` (``reply``, or ``error`` when nothing was
    recorded), ``changed`` (the history, the system prompt or the sampling is
    another now).
    """

    kind: Literal["started", "piece", "ended", "changed"]
    text: str = ""
    before: Turn | None = None
    piece: Piece | None = None
    reply: Reply | None = None
    error: BaseException | None = None


@dataclass(frozen=True)
class _State:
    """What undo brings back."""

    last: Turn | None
    system: str | None


class Conversation:
    """Turns with one model: the truth that widgets show.

    ``overflow`` says what happens when the history no longer fits:
    ``"drop_oldest"`` leaves the oldest turns out of the prompt (never out of
    the history), ``"error"`` raises ContextOverflow.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        system: str | None = None,
        sampling: Sampling = Sampling(),
        overflow: Literal["drop_oldest", "error"] = "drop_oldest",
    ):
        if overflow not in ("drop_oldest", "error"):
            raise ValueError(f'overflow is {overflow!r}. Use "drop_oldest" or "error".')
        self.model = model
        self.overflow = overflow
        self._sampling = sampling
        self._state = _State(None, system)
        self._undo: list[_State] = []
        self._turns: list[Turn] = []
        self._listeners: list[Callable[[Event], None]] = []
        self._talking = threading.Lock()
        self._cancel = threading.Event()

    # -- what was said ---------------------------------------------------------

    @property
    def turns(self) -> list[Turn]:
        """The turns from the first to the latest, on the branch in view."""
        return self._state.last.path() if self._state.last else []

    @property
    def messages(self) -> list[Message]:
        """The conversation as plain messages, the system prompt first."""
        return self._as_messages(self.turns)

    @property
    def system(self) -> str | None:
        """The system prompt; setting it can be undone."""
        return self._state.system

    @system.setter
    def system(self, text: str | None) -> None:
        if text != self._state.system:
            self._become(_State(self._state.last, text or None))

    @property
    def sampling(self) -> Sampling:
        """How tokens are chosen from the next turn on."""
        return self._sampling

    @sampling.setter
    def sampling(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._tell(Event("changed"))

    @property
    def busy(self) -> bool:
        """Whether a reply is on its way."""
        return self._talking.locked()

    # -- talking ---------------------------------------------------------------

    def stream(self, text: str, **sampling: Any) -> Generator[Piece, None, Reply]:
        """Send a message and yield the reply's pieces; keyword arguments change `Sampling` once.

        The turn is recorded when the stream ends. Stopped or closed early, the
        text so far is kept; nothing is recorded when there is none, or on an error.
        """
        return self._talk(text, self._state.last, sampling)

    def send(self, text: str, **sampling: Any) -> Reply:
        """Send a message and wait for the whole reply."""
        return _last(self.stream(text, **sampling))

    def retry(self, **sampling: Any) -> Reply:
        """Ask the latest message again; the old reply stays in `branches`."""
        turn = self._turn(-1)
        return _last(self._talk(turn.user, turn.before, sampling))

    def edit(self, index: int, text: str, **sampling: Any) -> Reply:
        """Say something else at turn ``index`` (0 is the first); later turns move to a branch."""
        return _last(self._talk(text, self._turn(index).before, sampling))

    def stop(self) -> None:
        """End the reply that is on its way; what has been said is kept."""
        self._cancel.set()

    # -- moving about ----------------------------------------------------------

    def undo(self) -> bool:
        """Take back the latest change (a turn, an edit, a clear …); False when there is none."""
        with self._at_rest():
            if not self._undo:
                return False
            self._state = self._undo.pop()
        self._tell(Event("changed"))
        return True

    def clear(self) -> None:
        """Start again with the same system prompt; `undo` brings the turns back."""
        if self._state.last:
            self._become(_State(None, self._state.system))

    def branches(self, index: int = -1) -> list[Turn]:
        """All that was tried at the place of turn ``index``, in the order of trying."""
        before = self._turn(index).before
        return [turn for turn in self._turns if turn.before is before]

    def switch(self, turn: Turn) -> None:
        """Go to another branch: ``turn`` becomes the latest one."""
        if not any(turn is known for known in self._turns):
            raise ConversationError("That turn is not of this conversation. Take one from branches().")
        self._become(_State(turn, self._state.system))

    # -- looking inside --------------------------------------------------------

    def inspect(self, draft: str = "") -> Prompt:
        """The exact prompt that sending ``draft`` would give, without running the model."""
        prompt, _ = self._fit(self.turns, draft, self._sampling)
        return prompt

    def usage(self, draft: str = "") -> Usage:
        """How the context would be filled if ``draft`` were sent now."""
        turns = self.turns
        try:
            _, left = self._fit(turns, draft, self._sampling)
        except ContextOverflow:
            left = len(turns)
        system = self._count(self._as_messages([]))
        kept = self._count(self._as_messages(turns[left:]))
        drafted = self._count([*self._as_messages(turns[left:]), _user(draft)]) - kept if draft else 0
        room = max(0, min(self._sampling.max_tokens, self.model.context - kept - drafted))
        return Usage(self.model.context, system, kept - system, drafted, room, tuple(range(left)))

    # -- keeping and sharing ---------------------------------------------------

    def export(self, form: Literal["json", "md", "html"] = "json") -> str:
        """The conversation as text: JSON to load again, Markdown or a web page to read."""
        return write_transcript(self.messages, form, title=f"A conversation with {self.model.name}")

    def load(self, transcript: str | Sequence[Message]) -> None:
        """Replace the turns by those of a JSON transcript or a list of messages; can be undone.

        Raises ConversationError when they are not whole turns of user and assistant.
        """
        system, pairs = read_messages(transcript)
        last: Turn | None = None
        for user, reply in pairs:
            last = Turn(user, Reply(reply, "stop"), last)
            self._turns.append(last)
        self._become(_State(last, system))

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with every `Event`, in the thread where it happens; returns how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # -- inside ----------------------------------------------------------------

    def _talk(self, text: str, before: Turn | None, changes: dict[str, Any]) -> Generator[Piece, None, Reply]:
        sampling = self._sampling.but(**changes)
        if not text.strip():
            raise ConversationError("The message is empty. Write something to send.")
        return self._run(text, before, sampling)

    def _run(self, text: str, before: Turn | None, sampling: Sampling) -> Generator[Piece, None, Reply]:
        self._begin()
        said: list[str] = []
        reply, error = None, None
        try:
            self._tell(Event("started", text=text, before=before))
            turns = before.path() if before else []
            _, left = self._fit(turns, text, sampling)
            messages = [*self._as_messages(turns[left:]), _user(text)]
            reply = yield from self._relay(self.model.stream(messages, sampling, self._cancel), said)
            return reply
        except Exception as caught:
            error = caught
            raise
        finally:
            if reply is None and error is None:
                reply = Reply("".join(said), "cancelled")
            if reply is not None and (reply.text or reply.finish_reason != "cancelled"):
                self._record(Turn(text, reply, before))
            self._talking.release()
            self._tell(Event("ended", text=text, before=before, reply=reply, error=error))

    def _relay(self, pieces: Generator[Piece, None, Reply], said: list[str]) -> Generator[Piece, None, Reply]:
        try:
            while True:
                piece = next(pieces)
                said.append(piece.text)
                self._tell(Event("piece", piece=piece))
                yield piece
        except StopIteration as end:
            return end.value
        finally:
            pieces.close()

    def _begin(self) -> None:
        if not self._talking.acquire(blocking=False):
            raise ModelBusy("A reply is on its way in this conversation. Wait for it, or call stop() first.")
        self._cancel.clear()

    def _record(self, turn: Turn) -> None:
        self._turns.append(turn)
        self._undo.append(self._state)
        self._state = _State(turn, self._state.system)

    def _become(self, state: _State) -> None:
        with self._at_rest():
            self._undo.append(self._state)
            self._state = state
        self._tell(Event("changed"))

    @contextmanager
    def _at_rest(self) -> Generator[None, None, None]:
        self._begin()
        try:
            yield
        finally:
            self._talking.release()

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener(event)

    def _turn(self, index: int) -> Turn:
        turns = self.turns
        try:
            return turns[index]
        except IndexError:
            raise ConversationError(
                f"There is no turn {index}: the conversation has {len(turns)} turns, counted from 0."
            ) from None

    def _as_messages(self, turns: Sequence[Turn]) -> list[Message]:
        system = self._state.system
        messages: list[Message] = [{"role": "system", "content": system}] if system else []
        for turn in turns:
            messages += [_user(turn.user), {"role": "assistant", "content": turn.reply.text}]
        return messages

    def _count(self, messages: Sequence[Message]) -> int:
        """Tokens of these messages, without the marker that opens the reply."""
        opening = len(self.model.prompt([]).token_ids)
        return len(self.model.prompt(messages).token_ids) - opening if messages else 0

    def _fit(self, turns: Sequence[Turn], draft: str, sampling: Sampling) -> tuple[Prompt, int]:
        """The prompt that fits, and how many of the oldest turns were left out of it."""

        @cache
        def prompt(left: int) -> Prompt:
            drafted = [_user(draft)] if draft else []
            return self.model.prompt([*self._as_messages(turns[left:]), *drafted])

        def fits(left: int) -> bool:
            return len(prompt(left).token_ids) + sampling.max_tokens <= self.model.context

        if fits(0):
            return prompt(0), 0
        last = len(turns)
        if self.overflow == "error" or not fits(last):
            raise self._overflow(len(prompt(last if self.overflow != "error" else 0).token_ids), sampling)
        # The prompt shrinks with every turn left out, so the first that fits can be bisected.
        left = bisect_left(range(last), True, lo=1, key=fits)
        return prompt(left), left

    def _overflow(self, tokens: int, sampling: Sampling) -> ContextOverflow:
        return ContextOverflow(
            f"The prompt takes {tokens:,} tokens and the reply may take {sampling.max_tokens:,}, but the "
            f"model sees only {self.model.context:,}. Shorten the prompt or lower max_tokens."
        )


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


def _last(pieces: Generator[Piece, None, Reply]) -> Reply:
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value
