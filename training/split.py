"""What is kept out of training, decided by a hash and not by chance.

A value, a wording or a pair is held out when its hash says so. The training
generators skip what is held out; the evaluation uses nothing else.
"""

import hashlib


def bucket(text: str, buckets: int = 100) -> int:
    """The bucket, 0 to ``buckets - 1``, in which ``text`` falls; case and spaces at the ends don't count."""
    digest = hashlib.sha256(text.strip().lower().encode("utf-8")).digest()
    return int.from_bytes(digest[:4], "big") % buckets


def held_out(text: str, percent: int = 10) -> bool:
    """Whether ``text`` belongs to the evaluation; ``percent`` of all texts do."""
    return bucket(text) < percent


def keep(items, evaluation: bool, percent: int = 10) -> list:
    """The items of one side of the split: the held-out ones for an evaluation, the others for training."""
    return [item for item in items if held_out(str(item), percent) == evaluation]
