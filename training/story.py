"""Short stories from a grammar. Every story can be parsed back, so a test can say whether one is right."""

import random
import re

from training.turns import Turn
from training.typed import fill

HEROES = "fox bear owl rabbit robot sailor baker dragon mouse painter wizard turtle".split()
ADJECTIVES = "small brave curious sleepy clever lonely cheerful shy".split()
NAMES = "Pip Luna Tam Nilo Rosa Bram Zuri Otis Mika Juno Fern Hob".split()
HOMES = ("a quiet forest", "a tall tower", "a village by the sea", "a cave under the hill", "an old mill",
         "a house on wheels", "a garden behind the wall", "a lighthouse")  # fmt: skip
FINDS = ("a silver key", "a broken clock", "a map of the stars", "a singing stone", "a lost letter", "a red kite",
         "a tiny lamp", "a wooden flute")  # fmt: skip
SPOTS = (
    "under a bridge",
    "in the snow",
    "beside the river",
    "behind the door",
    "on the beach",
    "in an empty box",
)
HELPERS = "crow cat goat grandmother snail giant".split()
DEEDS = ("carried it home", "showed it to a {helper}", "gave it to a {helper}", "kept it in a pocket",
         "asked a {helper} for help", "hid it from a {helper}")  # fmt: skip
TURNS = ("It began to glow.", "It opened a secret path.", "It told a joke.", "It started to rain.",
         "The moon came closer.", "Everybody began to dance.", "It made the wind sing.", "It vanished at noon.")  # fmt: skip
ENDS = ("From then on {name} was never alone.", "{name} laughed and went to sleep.",
        "{name} told the tale to everyone.", "And {name} lived happily ever after.", "{name} still has it today.",
        "That night {name} dreamed of the sea.")  # fmt: skip
OPENINGS = ("Once there was a {adjective} {hero} called {name}, who lived in {home}.",
            "In {home} lived a {adjective} {hero} called {name}.",
            "Long ago, a {adjective} {hero} called {name} lived in {home}.")  # fmt: skip
MIDDLE = "One {time}, {name} found {find} {spot} and {deed}."
TIMES = "morning evening day night winter summer".split()

ASKS = ("Tell me a story.", "Write a story.", "Tell me a short story.", "Can you tell me a story?", "A story, please.",
        "I want a story.", "Make up a story.", "Tell a story.", "story", "Write a short story.", "Give me a story.",
        "Please tell me a tale.", "Read me a bedtime story.", "Tell me another story.", "One more story.",
        "Could you write a short tale?", "I would like to hear a story.")  # fmt: skip
ASKS_ABOUT = ("Tell me a story about a {hero}.", "Write a story about a {hero}.", "A story about a {hero}, please.",
              "Can you tell a story about a {hero}?", "I would like a story about a {hero}.", "Make up a story about a {hero}.")  # fmt: skip
HELD_OUT_ASKS = 2


def skewed(rng: random.Random, items) -> str:
    """One of the items; earlier ones are likelier, so that a greedy reply has a clear first choice."""
    weights = [1 / (2 + place) for place in range(len(items))]
    return rng.choices(items, weights)[0]


def story(rng: random.Random, hero: str | None = None) -> str:
    """A story of four sentences, about ``hero`` if one is given."""
    name = skewed(rng, NAMES)
    home, helper = skewed(rng, HOMES), skewed(rng, HELPERS)
    opening = skewed(rng, OPENINGS).format(
        adjective=skewed(rng, ADJECTIVES), hero=hero or skewed(rng, HEROES), name=name, home=home
    )
    middle = MIDDLE.format(
        time=skewed(rng, TIMES), name=name, find=skewed(rng, FINDS), spot=skewed(rng, SPOTS),
        deed=skewed(rng, DEEDS).format(helper=helper),
    )  # fmt: skip
    return " ".join((opening, middle, skewed(rng, TURNS), skewed(rng, ENDS).format(name=name)))


def either(items) -> str:
    """A regular expression for one of the items."""
    return "(?:" + "|".join(re.escape(item) for item in items) + ")"


def pattern() -> re.Pattern:
    """A regular expression that matches exactly the stories of this grammar; the hero's name must stay the same."""
    slots = {"adjective": either(ADJECTIVES), "hero": either(HEROES), "home": either(HOMES), "time": either(TIMES),
             "find": either(FINDS), "spot": either(SPOTS), "helper": either(HELPERS)}  # fmt: skip

    def grown(template: str) -> str:
        text = re.escape(template)
        for slot, expression in slots.items():
            text = text.replace(rf"\{{{slot}\}}", expression)
        return text.replace(r"\{name\}", "(?P=name)")

    openings = [grown(template).replace("(?P=name)", either(NAMES)) for template in OPENINGS]
    named = f"(?=.*?called (?P<name>{either(NAMES)})[ ,.])"
    deeds = "(?:" + "|".join(grown(deed) for deed in DEEDS) + ")"
    middle = grown(MIDDLE).replace(r"\{deed\}", deeds)
    ends = "(?:" + "|".join(grown(end) for end in ENDS) + ")"
    return re.compile(f"{named}(?:{'|'.join(openings)}) {middle} {either(TURNS)} {ends}")


def is_story(text: str) -> bool:
    """Whether the grammar could have told ``text``."""
    return pattern().fullmatch(text) is not None


def ask(rng: random.Random, evaluation: bool = False) -> Turn:
    """The user asks for a story, sometimes about a given hero."""
    hero = rng.choice(HEROES) if rng.random() < 0.4 else None
    asks = ASKS_ABOUT if hero else ASKS
    asks = asks[-HELD_OUT_ASKS:] if evaluation else asks[:-HELD_OUT_ASKS]
    text = story(rng, hero)
    first_two = " ".join(re.split(r"(?<=\.) ", text)[:1])
    return Turn("story", fill(rng, rng.choice(asks), hero=hero or ""), text, first_two)
