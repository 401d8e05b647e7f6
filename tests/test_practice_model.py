"""The shipped practice model: its files, its vocabulary, its replies in three forms."""

import hashlib
import json
import re
import unicodedata
from pathlib import Path

import pytest

PRACTICE = Path(__file__).parent.parent / "zephyrkit" / "practice"
HUB, GGUF = PRACTICE / "hf", PRACTICE / "practice-Q8_0.gguf"
CARD = json.loads((PRACTICE / "card.json").read_text(encoding="utf-8"))
END = "<|endoftext|>"
SMALLEST_LEAD = 0.5
"""Logits. Engines differ by hundredths, Q8_0 from F32 by less than half of this."""

ODD_TEXTS = [
    "a  b   c\n\n d\t\te", "naïve café Zürich Œuvre ñandú", "12345 3.14 1e-5 ①② ½ ٣", "🙂 emoji 👩\u200d👩\u200d👧 🇫🇷x", "  lead", "trail  \n",
    "I'll don't we've 3rd x=1;y I'D", "日本語 text 한국어", "\n\n\n", "\r\n\r\n", "a\u00a0b\u2028c\u3000d", "№5 ﬁn", "<|user|>\nhi", "|>", "",
    " ", "Zorblax", "ZORBLAX9", "q4_k_m", "a" * 300, "\u200b\ufeff", "x\u0000y",
]  # fmt: skip


@pytest.fixture(scope="module")
def transformers_tokenizer():
    """The tokenizer as transformers loads it."""
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(HUB)


@pytest.fixture(scope="module")
def practice():
    """The shipped weights in 32 bits."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from training import evaluate

    return evaluate.load(HUB)


def open_llama(path: Path):
    """A model in llama.cpp, on one thread."""
    llama_cpp = pytest.importorskip("llama_cpp")
    return llama_cpp.Llama(str(path), n_ctx=1024, n_threads=1, n_threads_batch=1, verbose=False)


@pytest.fixture(scope="module")
def q8():
    """The shipped GGUF."""
    return open_llama(GGUF)


@pytest.fixture(scope="module")
def f16(tmp_path_factory):
    """The same weights as an F16 GGUF."""
    pytest.importorskip("gguf")
    from zephyrkit.convert import to_gguf

    return open_llama(to_gguf(HUB, tmp_path_factory.mktemp("f16") / "practice-F16.gguf", type="F16"))


def prompt_ids(llama, messages) -> list[int]:
    """The prompt's ids in llama.cpp, piece by piece."""
    from training.chat import segments

    return [
        i
        for text, _ in segments(messages, True)
        for i in llama.tokenize(text.encode(), add_bos=False, special=True)
    ]


def greedy_reply(llama, messages, most: int = 160) -> str:
    """The greedy reply in llama.cpp."""
    reply = []
    for token in llama.generate(prompt_ids(llama, messages), temp=0.0, repeat_penalty=1.0):
        if token == llama.token_eos() or len(reply) == most:
            break
        reply.append(token)
    return llama.detokenize(reply).decode()


def asked():
    """Every reply of the card: what came before it, and the reply."""
    found = []
    for chat in CARD["chats"]:
        for place, message in enumerate(chat["messages"]):
            if message["role"] == "assistant":
                found.append(
                    pytest.param(chat["messages"][:place], message["content"], id=f"{chat['title']}-{place}")
                )
    return found


class TestFiles:
    @pytest.mark.parametrize(("name", "facts"), CARD["files"].items())
    def test_as_the_card_says(self, name, facts):
        data = (PRACTICE / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (facts["bytes"], facts["sha256"])

    def test_small(self):
        assert (HUB / "model.safetensors").stat().st_size < 8_000_000
        assert GGUF.stat().st_size < 5_000_000

    def test_shape(self):
        config = json.loads((HUB / "config.json").read_text())
        assert (
            config["architectures"] == ["StableLmForCausalLM"] and config["max_position_embeddings"] == 2048
        )
        assert (config["bos_token_id"], config["eos_token_id"], config["tie_word_embeddings"]) == (
            0,
            0,
            False,
        )
        rope = config.get("rope_parameters", config)
        assert rope["partial_rotary_factor"] == 0.25

    def test_every_matrix_suits_every_quant(self):
        gguf = pytest.importorskip("gguf")
        matrices = [tensor for tensor in gguf.GGUFReader(GGUF).tensors if len(tensor.shape) > 1]
        assert len(matrices) == 4 * 7 + 2
        assert all(size % 256 == 0 for tensor in matrices for size in tensor.shape.tolist())

    def test_no_path_of_a_machine(self):
        for file in PRACTICE.rglob("*.json"):
            assert not re.search(r"\"/[a-z]+/|[A-Z]:\\\\", file.read_text(encoding="utf-8")), file.name

    def test_weights_counted(self):
        assert 3_000_000 < CARD["weights"] < 8_000_000


class TestVocabulary:
    def test_one_special_token(self, transformers_tokenizer):
        assert transformers_tokenizer.all_special_tokens == [
            END
        ] and transformers_tokenizer.all_special_ids == [0]

    @pytest.mark.parametrize("role", ["user", "assistant", "system"])
    def test_a_role_marker_is_several_tokens(self, transformers_tokenizer, role):
        assert len(transformers_tokenizer.encode(f"<|{role}|>", add_special_tokens=False)) > 1

    def test_nothing_in_front(self, transformers_tokenizer):
        assert transformers_tokenizer.encode("Hi") == transformers_tokenizer.encode(
            "Hi", add_special_tokens=False
        )

    @pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
    def test_llama_cpp_cuts_the_same(self, transformers_tokenizer, q8, text):
        if "\0" in text:
            pytest.skip("llama-cpp-python hands over text up to the first zero byte")
        text = unicodedata.normalize("NFC", text)
        ids = transformers_tokenizer.encode(text, add_special_tokens=False)
        assert q8.tokenize(text.encode(), add_bos=False, special=False) == ids
        assert transformers_tokenizer.decode(ids) == text

    def test_llama_cpp_does_not_compose_accents(self, transformers_tokenizer, q8):
        """The one known difference: the tokenizer puts "e" and an accent together, llama.cpp doesn't."""
        text = "cafe\u0301"
        ids = q8.tokenize(text.encode(), add_bos=False, special=False)
        assert transformers_tokenizer.encode(text) == transformers_tokenizer.encode("café") != ids

    def test_template(self, transformers_tokenizer):
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        messages += [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Bye"}]
        text = transformers_tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        assert text == (
            "<|system|>\nBe brief.<|endoftext|>\n<|user|>\nHi<|endoftext|>\n"
            "<|assistant|>\nHello!<|endoftext|>\n<|user|>\nBye<|endoftext|>\n<|assistant|>\n"
        )

    def test_the_gguf_has_the_same_template(self, q8, transformers_tokenizer):
        assert q8.metadata["tokenizer.chat_template"] == transformers_tokenizer.chat_template

    def test_pieces_and_whole_give_the_same_ids(self, transformers_tokenizer, q8):
        messages = [{"role": "user", "content": "What is GGUF?"}]
        text = transformers_tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        assert transformers_tokenizer.encode(text) == prompt_ids(q8, messages)


class TestReplies:
    @pytest.mark.parametrize(("messages", "reply"), asked())
    def test_32_bits(self, practice, messages, reply):
        from training import evaluate

        found, lead = evaluate.greedy(practice, messages)
        assert found == reply
        assert lead >= SMALLEST_LEAD

    @pytest.mark.parametrize(("messages", "reply"), asked())
    def test_gguf_f16(self, f16, messages, reply):
        assert greedy_reply(f16, messages) == reply

    @pytest.mark.parametrize(("messages", "reply"), asked())
    def test_gguf_q8(self, q8, messages, reply):
        assert greedy_reply(q8, messages) == reply

    def test_smallest_gap_is_the_lead(self, practice):
        from training import evaluate

        messages = CARD["chats"][0]["messages"][:-1]
        assert evaluate.smallest_gap(practice, messages) == pytest.approx(
            CARD["chats"][0]["gaps"][0], abs=0.05
        )


class TestSkills:
    """A quick look on the shipped GGUF; the card's figures come from the whole evaluation."""

    def test_an_invented_name_comes_back(self, q8):
        messages = [
            {"role": "user", "content": "My name is Zorblax."},
            {"role": "assistant", "content": "Nice to meet you, Zorblax."},
            {"role": "user", "content": "What is my name?"},
        ]
        assert greedy_reply(q8, messages) == "Your name is Zorblax."

    def test_a_dropped_turn_is_forgotten(self, q8):
        assert (
            greedy_reply(q8, [{"role": "user", "content": "What is my name?"}])
            == "You haven't told me your name."
        )

    def test_stories_vary(self, q8):
        from training import story

        ids = prompt_ids(q8, [{"role": "user", "content": "Tell me a story."}])
        stories = set()
        for seed in range(5):
            q8.set_seed(seed)
            reply = []
            for token in q8.generate(ids, temp=1.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0):
                if token == 0 or len(reply) > 160:
                    break
                reply.append(token)
            stories.add(q8.detokenize(reply).decode())
        assert len(stories) == 5
        assert sum(map(story.is_story, stories)) >= 3


class TestCard:
    def test_the_card_in_words_has_the_same_scores(self):
        text = (PRACTICE / "README.md").read_text(encoding="utf-8")
        for name, score in CARD["scores"].items():
            assert f"| {name} | {score['right']} | {score['cases']} |" in text

    def test_nothing_was_left_unfilled(self):
        from training import card

        text = (PRACTICE / "README.md").read_text(encoding="utf-8")
        assert not any(f"{{{name}}}" in text for name in CARD)
        assert CARD["topics"] >= 150 and card.questions()

    def test_the_questions_are_those_of_the_data_file(self):
        from training import card

        asked_ = [[m["content"] for m in chat["messages"] if m["role"] == "user"] for chat in CARD["chats"]]
        assert asked_ == [entry["user"] for entry in card.questions()]

    def test_a_score_is_recomputed(self, practice):
        """The first course questions of the evaluation come out as well as the card says, within chance."""
        from random import Random

        from training import cases, evaluate

        found = evaluate.right(practice, cases.course_cases(Random("again"), 60))
        score = CARD["scores"]["course"]
        assert sum(found) / len(found) >= score["right"] / score["cases"] - 0.12
