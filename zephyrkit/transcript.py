"""Conversations as files, and Markdown as safe HTML.

What a user or a model writes is never markup: in Markdown it stands in fences,
in HTML it goes through a renderer without raw HTML and then through a sanitiser.
"""

import html
import json
import re
from collections.abc import Iterable, Sequence

from .errors import ConversationError
from .prompt import Message

FORMAT = "zephyrkit-conversation"
LONGEST_RENDERED = 200_000
"""Characters; a longer text is shown as it is, since rendering it would freeze the page."""

_NAMES = {"system": "System prompt", "user": "You", "assistant": "Model"}


def write_transcript(messages: Sequence[Message], form: str, *, title: str = "A conversation") -> str:
    """Messages as ``"json"``, ``"md"`` or ``"html"``; raises ValueError for another form."""
    writers = {"json": _write_json, "md": _write_markdown, "html": write_page}
    if form not in writers:
        raise ValueError(f"form is {form!r}. Use one of {', '.join(writers)}.")
    return writers[form]([{**message, "content": sound(message["content"])} for message in messages], title)


def read_messages(transcript: str | Sequence[Message]) -> tuple[str | None, list[tuple[str, str]]]:
    """The system prompt and the (user, reply) pairs of a JSON transcript or a list of messages.

    Raises ConversationError when it is not JSON, not ours, or not whole turns.
    """
    messages = _parse(transcript) if isinstance(transcript, str) else list(transcript)
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise ConversationError(f"Message {number} has no text in its content. Every message needs one.")
    system = messages.pop(0)["content"] if messages and messages[0].get("role") == "system" else None
    roles = [message.get("role") for message in messages]
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise ConversationError(
            f"The transcript's {len(roles)} messages are not whole turns. After an optional system "
            "message, user and assistant must take turns, and the assistant must have the last word."
        )
    contents = [message["content"] for message in messages]
    return system, list(zip(contents[::2], contents[1::2], strict=True))


def render_markdown(text: str) -> str:
    """Markdown as HTML that can do nothing: no raw HTML, scripts, images or odd addresses."""
    import nh3

    text = sound(text)
    if len(text) > LONGEST_RENDERED:
        return plain(text)
    return nh3.clean(
        _markdown().render(text),
        tags=_TAGS,
        attributes={
            "a": {"href", "title"},
            "code": {"class"},
            "span": {"class"},
            "ol": {"start"},
            "td": {"style"},
            "th": {"style"},
        },
        filter_style_properties={"text-align"},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def plain(text: str) -> str:
    """Text as HTML that shows it exactly as it is."""
    return f'<p class="zk-plain">{html.escape(sound(text))}</p>'


def sound(text: str) -> str:
    """Text that a file or a page can hold: a lone surrogate becomes the replacement character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def write_page(messages: Sequence[Message], title: str) -> str:
    """A web page that stands alone: no script, no network, light and dark."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_PAGE_POLICY}">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_PAGE_STYLE}</style>\n"
        f"<h1>{html.escape(title)}</h1>\n{write_turns(messages)}\n</html>\n"
    )


def write_turns(messages: Iterable[Message]) -> str:
    """The messages as HTML sections: what the user wrote as plain text, replies as Markdown."""
    return "\n".join(
        f'<section class="zk-{message["role"]}"><h2>{_NAMES[message["role"]]}</h2>\n'
        + (render_markdown if message["role"] == "assistant" else plain)(message["content"])
        + "</section>"
        for message in messages
    )


def _write_json(messages: Sequence[Message], title: str) -> str:
    document = {"format": FORMAT, "version": 1, "title": title, "messages": list(messages)}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _write_markdown(messages: Sequence[Message], title: str) -> str:
    parts = [f"# {_one_line(title)}\n"]
    for message in messages:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", message["content"])), default=0))
        parts.append(f"## {_NAMES[message['role']]}\n\n{fence}text\n{message['content']}\n{fence}\n")
    return "\n".join(parts)


def _one_line(title: str) -> str:
    return " ".join(re.sub(r"[<>&\[\]`]", " ", title).split())


def _parse(text: str) -> list:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConversationError(
            f"This is not a JSON transcript: {error}. Load a file that export('json') wrote."
        ) from error
    messages = document.get("messages") if isinstance(document, dict) else document
    if not isinstance(messages, list):
        raise ConversationError(
            "This JSON holds no list of messages. Load a file that export('json') wrote, or a list of "
            "objects with role and content."
        )
    return messages


def _markdown():
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default", {"highlight": _highlight})


def _highlight(code: str, language: str, _attributes: str) -> str:
    """Code with Pygments' class names; the plain code when the language is unknown."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=True))
    except ClassNotFound:
        return ""


_TAGS = set(
    "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong sub sup "
    "table tbody td th thead tr ul".split()
)

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_PAGE_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid #8886; padding: .5rem 0 } h2 { font-size: .9rem; margin: 0; opacity: .75 }
.zk-plain { white-space: pre-wrap; overflow-wrap: anywhere } pre { overflow-x: auto }
table { border-collapse: collapse } td, th { border: 1px solid #8886; padding: .2rem .5rem }
"""
