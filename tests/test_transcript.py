"""What a user or a model wrote is never markup in a file that leaves the kit."""

import html.parser
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zephyrkit.transcript import LONGEST_RENDERED, read_messages, render_markdown, write_transcript

HOSTILE = [
    "<script>window.__xss = 1</script>",
    '<img src=x onerror="window.__xss = 1">',
    "</script></style><svg onload=window.__xss=1>",
    "[click](javascript:window.__xss=1)",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://example.org/track.png)",
    '<a data-commandlinker-command="notebook:run-cell" href="#">x</a>',
    "```html\n<script>window.__xss = 1</script>\n```",
    "``` onload=window.__xss=1\ncode\n```",
    "| a |\n|---|\n| <iframe src=javascript:window.__xss=1> |",
    "<style>*{display:none}</style>",
    '<form action="https://example.org"><input name=q></form>',
    "&lt;script&gt;window.__xss=1&lt;/script&gt;",
    "````\n```\n````",
    "$\\href{javascript:window.__xss=1}{x}$",
]
ALLOWED = set(
    "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong sub sup "
    "table tbody td th thead tr ul".split()
)


class Markup(html.parser.HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value)


def messages(text):
    return [
        {"role": "system", "content": text},
        {"role": "user", "content": text},
        {"role": "assistant", "content": text},
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_does_nothing_when_rendered(text):
    seen = Markup(render_markdown(text))
    assert seen.tags <= ALLOWED
    assert set(seen.attributes) <= {"href", "title", "rel", "class", "start", "style"}
    assert all(
        link.startswith(("http://", "https://", "mailto:")) for link in seen.attributes.get("href", [])
    )


@given(st.text())
def test_no_text_at_all_becomes_other_markup(text):
    assert Markup(render_markdown(text)).tags <= ALLOWED


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_holds_only_our_own_structure(text):
    page = write_transcript(messages(text), "html", title=text)
    seen = Markup(page)
    assert seen.tags <= ALLOWED | {"html", "meta", "title", "style", "section"}
    assert page.count("<style>") == 1 and "default-src 'none'" in page


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_keeps_every_message_inside_its_fence(text):
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(write_transcript(messages(text), "md", title=text))
    fences = [token.content for token in tokens if token.type == "fence"]
    assert fences == [text + "\n"] * 3
    assert not any(token.type == "html_block" for token in tokens)


@given(st.text(), st.lists(st.tuples(st.text(), st.text())))
def test_json_gives_back_what_went_in(system, pairs):
    spoken = [{"role": "system", "content": system}]
    for user, reply in pairs:
        spoken += [{"role": "user", "content": user}, {"role": "assistant", "content": reply}]
    written = write_transcript(spoken, "json")
    assert json.loads(written)["messages"] == spoken
    assert read_messages(written) == (system, pairs)


def test_markdown_as_people_know_it():
    shown = render_markdown("**bold** `code`\n\n1. one\n2. two\n\n| a | b |\n|---|:-:|\n| 1 | 2 |")
    for part in (
        "<strong>bold</strong>",
        "<code>code</code>",
        "<ol>",
        "<table>",
        'style="text-align:center"',
    ):
        assert part in shown
    assert '<span class="k">def</span>' in render_markdown("```python\ndef f(): pass\n```")
    assert "<code" in render_markdown("```no-such-language\nx\n```")
    assert 'rel="noopener noreferrer nofollow"' in render_markdown("[a](https://example.org)")


def test_a_very_long_text_is_shown_plainly():
    assert render_markdown("**a** " * LONGEST_RENDERED).startswith('<p class="zk-plain">**a**')


def test_an_unknown_form():
    with pytest.raises(ValueError, match="json, md, html"):
        write_transcript([], "pdf")


def test_half_a_character_breaks_no_file_and_no_page():
    messages = [
        {"role": "user", "content": "a \ud800 b \ud83d\ude00"},
        {"role": "assistant", "content": "\udfff"},
    ]
    for form in ("json", "md", "html"):
        text = write_transcript(messages, form)
        assert text.encode() and "a \ufffd b \U0001f600" in text
    assert "\ufffd" in render_markdown("\ud800")
