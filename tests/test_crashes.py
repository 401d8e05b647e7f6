"""Nothing that the kit exposes can kill the process: each abuse runs in a child, and its exit is looked at.

llama.cpp itself ends the process for most of these (SIGSEGV, SIGABRT). A child
passes when it ends with code 0 and says "fine" after its own checks.
"""

import subprocess
import sys
import textwrap

import pytest

BEGIN = """
import faulthandler, gc, os, signal, sys, threading, time
faulthandler.enable()
import zephyrkit as zk
STORY = [{"role": "user", "content": "Tell me a story."}]
LONG = [{"role": "user", "content": "Tell me about GGUF and the cache. " * 90}]
GREEDY = zk.Sampling(temperature=0, max_tokens=60)
FREE = zk.Sampling(temperature=1, top_k=0, top_p=1, min_p=0, max_tokens=300)

def reply(model, messages=STORY, sampling=GREEDY):
    stream = model.stream(messages, sampling)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value

def refused(error, call):
    try:
        call()
    except error:
        return True
    return False

model = zk.load("practice")
"""


def run(code: str, *, seconds: float = 240) -> subprocess.CompletedProcess:
    program = BEGIN + textwrap.dedent(code) + '\nprint("fine")\n'
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=seconds)


def assert_fine(code: str, **options) -> None:
    done = run(code, **options)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.stdout.endswith("fine\n"), done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr and "Fatal" not in done.stderr, done.stderr


def test_a_child_that_dies_is_noticed():
    """The suite itself can fail: the same abuse of llama.cpp without the handle ends the process."""
    done = run("""
        from zephyrkit.backends.llama_bindings import bindings
        context = model._handle._context
        model.close()
        bindings().llama_decode(context, bindings().llama_batch_get_one(None, 1))
    """)
    assert done.returncode < 0
    with pytest.raises(AssertionError, match="exit code"):
        assert_fine("sys.exit(3)")


ABUSES = {
    "eight threads on one model": """
        expected = reply(model).text
        said, busy = [], []
        def talk():
            for _ in range(12):
                try:
                    said.append(reply(model).text)
                except zk.ModelBusy:
                    busy.append(1)
                    time.sleep(0.002)
        threads = [threading.Thread(target=talk) for _ in range(8)]
        [t.start() for t in threads]; [t.join() for t in threads]
        assert set(said) == {expected} and busy, (set(said), len(busy))
    """,
    "two interleaved streams": """
        expected = reply(model).text
        first, second = model.stream(STORY, GREEDY), model.stream(LONG, GREEDY)
        text, refusals = "", 0
        for piece in first:
            text += piece.text
            refusals += refused(zk.ModelBusy, lambda: next(model.stream(LONG, GREEDY)))
        assert text == expected and refusals > 5
        assert any(piece.text for piece in second)
    """,
    "use after close": """
        ids = model.tokenize("hello")
        model.close(); model.close(); model.close()
        assert refused(zk.ModelClosed, lambda: next(model.stream(STORY)))
        assert refused(zk.ModelClosed, lambda: model.tokenize("hello"))
        assert refused(zk.ModelClosed, lambda: model.prompt(STORY))
        assert refused(zk.ModelClosed, lambda: model.next_token("hello"))
        assert refused(zk.ModelClosed, lambda: model.detokenize([7]))
        assert "closed" in repr(model)
    """,
    "close while another thread computes": """
        reasons = set()
        for delay in range(24):
            model = zk.load("practice")
            ended = []
            messages = LONG if delay % 2 else STORY
            thread = threading.Thread(target=lambda: ended.append(reply(model, messages, FREE)))
            thread.start()
            time.sleep(0.004 * delay)
            closers = [threading.Thread(target=model.close) for _ in range(2)]
            [t.start() for t in closers]; [t.join() for t in closers]
            thread.join()
            reasons |= {answer.finish_reason for answer in ended}
        assert "cancelled" in reasons, reasons
    """,
    "close in the middle of one's own stream": """
        stream = model.stream(STORY, FREE)
        next(stream)
        model.close()
        assert refused(StopIteration, lambda: [next(stream) for _ in range(3)])
    """,
    "close in a tokenizing crowd": """
        stop = threading.Event()
        def look():
            while True:
                try:
                    model.prompt(LONG); model.detokenize(range(100))
                except zk.ModelClosed:
                    return
        threads = [threading.Thread(target=look) for _ in range(4)]
        [t.start() for t in threads]
        time.sleep(0.1)
        model.close()
        [t.join(20) for t in threads]
        assert not any(t.is_alive() for t in threads)
    """,
    "generators dropped midway, by the collector, in other threads": """
        expected = reply(model).text
        for n in range(20):
            stream = model.stream(STORY if n % 2 else LONG, FREE)
            next(stream)
            holder = [stream]
            holder.append(holder)  # a cycle: only the collector frees it
            del stream, holder
            thread = threading.Thread(target=gc.collect)
            thread.start(); thread.join()
        assert reply(model).text == expected
    """,
    "the model dropped with its stream running": """
        for n in range(10):
            stream = zk.load("practice").stream(STORY, FREE)
            next(stream)
            del stream
        stream = model.stream(STORY, FREE)
        next(stream)
        del model
        gc.collect()
        assert any(piece.text for piece in stream)
    """,
    "exit with a stream suspended": """
        stream = model.stream(STORY, FREE)
        next(stream)
    """,
    "exit while a daemon thread computes": """
        threading.Thread(target=lambda: [reply(model, LONG, FREE) for _ in range(999)], daemon=True).start()
        time.sleep(0.3)
    """,
    "exit while a daemon thread loads": """
        threading.Thread(target=lambda: [zk.load("practice") for _ in range(999)], daemon=True).start()
        time.sleep(0.2)
    """,
    "a fork": """
        expected = reply(model).text
        child = os.fork()
        if not child:
            ok = refused(zk.ModelClosed, lambda: next(model.stream(STORY)))
            model.close(); del model; gc.collect()
            ok = ok and reply(zk.load("practice")).text == expected
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert reply(model).text == expected
    """,
    "ids and texts that make no sense": """
        for ids in ([-1], [10**9], [10**6], [-2**31]):
            assert refused(ValueError, lambda: model.detokenize(ids))
            assert refused(ValueError, lambda: model.next_token(ids))
        for text in ("\\ud800", "\\0", "\\x1b[0m", "a\\u0301" * 5000, "<|" * 5000):
            model.detokenize(model.tokenize(text))
            try:
                reply(model, [{"role": "user", "content": text}], GREEDY.but(max_tokens=2))
            except zk.ContextOverflow:
                pass
    """,
    "the engine's own package beside the kit": """
        import llama_cpp
        assert llama_cpp.llama_cpp.llama_decode is llama_cpp.llama_decode
        by_hand = llama_cpp.Llama(str(zk.PRACTICE), n_ctx=512, verbose=False)
        assert by_hand.create_completion("a", max_tokens=3)["choices"]
        assert reply(model).text
        by_hand.close()
    """,
    "interrupts in the middle of reading and of writing": """
        model.next_token("x")  # imports numpy, which must not be interrupted at that
        expected = {id(m): reply(model, m).text for m in (STORY, LONG)}
        hit = set()
        for n in range(40):
            messages = LONG if n % 2 else STORY
            stage = "nothing"
            timer = threading.Timer(0.0015 * n, os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                model.next_token("x")  # the cache holds nothing of the prompt
                stage = "reading"
                for piece in model.stream(messages, FREE.but(seed=n)):
                    stage = "writing" if piece.text else stage
                stage = "nothing"
                timer.join(); time.sleep(0.01)
            except KeyboardInterrupt:
                hit.add(stage)
            timer.join()
            assert reply(model, messages).text == expected[id(messages)], (n, stage)
        assert {"reading", "writing"} <= hit, hit
    """,
    "a second interrupt right after the first": """
        model.next_token("x")  # imports numpy, which must not be interrupted at that
        expected = reply(model, LONG).text
        def twice():
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.0005)
        for n in range(15):
            timer = threading.Timer(0.002 * n, twice)
            try:
                try:
                    timer.start()
                    model.next_token("x")
                    reply(model, LONG, FREE)
                    timer.join(); time.sleep(0.01)
                except KeyboardInterrupt:
                    timer.join(); time.sleep(0.01)
            except KeyboardInterrupt:
                pass
            timer.join()
            assert reply(model, LONG).text == expected
    """,
}


@pytest.mark.parametrize("abuse", ABUSES)
def test_survives(abuse):
    if "os.fork" in ABUSES[abuse] and sys.platform == "win32":
        pytest.skip("Windows has no fork")
    assert_fine(ABUSES[abuse])


def test_memory_doesnt_grow_over_200_lives_of_a_model():
    """Open, chat, cancel, close: the growth from the 50th to the 200th life, in what malloc can't give back."""
    assert_fine(
        """
        import ctypes, psutil
        trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)  # glibc's; others don't hoard as much
        def life(n):
            model = zk.load("practice")
            for messages, texts in ((STORY, 3), (LONG, 0)):
                cancel = threading.Event()
                stream = model.stream(messages, FREE.but(seed=n), cancel)
                while texts >= 0:
                    texts -= bool(next(stream).text) or not texts
                cancel.set()
                assert [piece.text for piece in stream] in ([], [""])
            model.close()
        model.close()
        sizes = []
        for n in range(200):
            life(n)
            trim(0)
            sizes.append(psutil.Process().memory_info().rss / 2**20)
        early, late = min(sizes[40:60]), min(sizes[180:])
        print(f"{early:.2f} MiB after 50, {late:.2f} MiB after 200")
        assert late - early < 1, (early, late)
    """,
        seconds=300,
    )
