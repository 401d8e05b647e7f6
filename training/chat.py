"""The prompt's format: the same, byte for byte, as the model card's.

``<|endoftext|>`` ends every turn and is the one special token; the role
markers are ordinary text. No token stands in front of the first turn.
"""

END = "<|endoftext|>"
END_ID = 0
ROLES = ("system", "user", "assistant")

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|endoftext|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


def segments(messages: list[dict], reply_next: bool = False) -> list[tuple[str, bool]]:
    """The prompt in pieces, each with whether it is a reply that the model should learn.

    A reply's piece includes its end token.
    """
    pieces = []
    for message in messages:
        if message["role"] not in ROLES:
            raise ValueError(f"a role is one of {', '.join(ROLES)}, not {message['role']!r}")
        if END in message["content"]:
            raise ValueError(f"the corpus never writes {END} as text; it ends turns")
        pieces.append((f"<|{message['role']}|>\n", False))
        pieces.append((message["content"] + END, message["role"] == "assistant"))
        pieces.append(("\n", False))
    if reply_next:
        pieces.append(("<|assistant|>\n", False))
    return pieces


def render(messages: list[dict], reply_next: bool = True) -> str:
    """The whole prompt as text, ready for the model's reply."""
    return "".join(text for text, _ in segments(messages, reply_next))
