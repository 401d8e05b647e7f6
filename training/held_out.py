"""The text that lesson 06 measures quantised models on: ``python -m training.held_out``.

Conversations from the evaluation's side of the generators, so with wordings, names
and values that training never shows. Each ends with the reply that counts. They
don't depend on the model, and the same generators always give the same file.
"""

from pathlib import Path
from random import Random

from training import cases, course, story
from training.conversations import as_file, messages
from training.turns import STYLES

FILE = Path(__file__).parent.parent / "zephyrkit" / "course" / "lessons" / "held_out.json"
SEED = 6
ABOUT = "Held-out conversations; the last reply of each is what a measurement counts."


def conversations(seed: int = SEED) -> list[list[dict]]:
    """The conversations, about seventy-five: every skill, from one to four turns."""
    rng = Random(f"{seed}/held out")
    found = [cases.case([course.ask(rng, True, topic)]) for topic in rng.sample(course.topics(), 18)]
    found += cases.synonym_cases(rng, 8)
    for between in (1, 2):
        found += cases.memory_cases(rng, 5, between)
    found += [*cases.two_fact_cases(rng, 4), *cases.untold_cases(rng, 4), *cases.repeat_cases(rng, 4)]
    for style in STYLES[1:]:
        found += cases.style_cases(rng, 3, style)
    found += [*cases.smalltalk_cases(rng, 4), *cases.unrelated_cases(rng, 4), *cases.insult_cases(rng, 2)]
    answered = [[*case.messages, {"role": "assistant", "content": case.accepted[0]}] for case in found]
    return answered + [messages([story.ask(rng, True)], "plain", None) for _ in range(6)]


def text() -> str:
    """The file's content."""
    return as_file(ABOUT, conversations())


def main():
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")
    print(f"{len(conversations())} conversations written to {FILE.name}")


if __name__ == "__main__":
    main()
