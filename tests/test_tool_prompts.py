"""What lesson 02 says of five tools: each renders a prompt, and none of them is the right one."""

import pytest

from zephyrkit.course.tool_prompts import TOOLS
from zephyrkit.prompt import ZEPHYR

QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]
WITH_SYSTEM = [{"role": "system", "content": "Be brief."}, *QUESTION]

EXPECTED = {
    "llama-cpp-python, no template in the file": " <s>[INST]Why is the sky blue?  [/INST]",
    'llama-cpp-python, chat_format="zephyr"': (
        "<|system|>\n</s>\n<|user|>\n\nWhy is the sky blue?</s>\n<|assistant|>\n\n"
    ),
    "llama.cpp, its C function": "<|user|>\nWhy is the sky blue?<|assistant|>",
    "Ollama": "<|user|>\nWhy is the sky blue?</s>\n<|assistant|>\n",
    "KoboldCpp": "<|user|>\nWhy is the sky blue?<|end|>\n<|assistant|>\n",
}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.tool)
def test_each_tool_makes_the_prompt_that_the_lesson_prints(tool):
    assert tool.render(QUESTION) == EXPECTED[tool.tool]


@pytest.mark.parametrize("messages", [QUESTION, WITH_SYSTEM])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.tool)
def test_no_tool_makes_the_right_prompt(tool, messages):
    prompt = tool.render(messages)
    assert all(message["content"] in prompt for message in messages)
    assert prompt != ZEPHYR.render(messages)
    assert ZEPHYR.end not in prompt


def test_a_long_message_is_not_cut():
    text = "é" * 50_000
    for tool in TOOLS:
        assert text in tool.render([{"role": "user", "content": text}])


def test_the_list_says_what_was_run_and_what_was_read():
    assert [tool.source for tool in TOOLS] == ["run", "run", "run", "read", "read"]
