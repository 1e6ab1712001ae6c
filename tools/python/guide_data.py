"""Writes made-up data for docs/guide: tags.jsonl, several labels a text, and ratings.parquet, a number a text.

usage: python tools/python/guide_data.py   (needs pyarrow)
"""

import json
from pathlib import Path
import random

import pyarrow as pa
import pyarrow.parquet as pq

GUIDE = Path(__file__).parents[2] / "docs" / "guide"

TAGGED = {
    "app": ["the app closes by itself", "I can not log in to the app", "the app shows an old balance"],
    "card": ["my card is blocked", "the card machine took my card", "I need a second card"],
    "fee": ["why is there a fee", "the fee was taken twice", "nobody told me about that fee"],
    "urgent": ["please answer today", "this can not wait", "I need help right now"],
}

WORDS = {
    "awful": 1.0, "slow": 2.0, "poor": 1.5, "plain": 3.0, "fine": 3.5, "good": 4.0, "quick": 4.25, "splendid": 5.0,
}
SUBJECTS = ["service", "app", "branch", "hotline", "card", "website", "answer", "advice", "staff", "letter"]


def tags(random_: random.Random) -> list[dict]:
    rows = []
    for _ in range(120):
        chosen = sorted(random_.sample(sorted(TAGGED), random_.choice([0, 1, 1, 2, 2, 3])))
        parts = [random_.choice(TAGGED[tag]) for tag in random_.sample(chosen, len(chosen))] or ["thank you for your letter"]
        rows.append({"text": f"{', and '.join(parts)} (case {random_.randrange(1000)})", "tags": chosen})
    return rows


def ratings(random_: random.Random) -> list[dict]:
    rows = []
    for _ in range(120):
        first, second = random_.sample(SUBJECTS, 2)
        one, other = random_.choice(sorted(WORDS)), random_.choice(sorted(WORDS))
        rows.append({"review": f"The {first} was {one} and the {second} {other}.", "rating": (WORDS[one] + WORDS[other]) / 2})
    return rows


if __name__ == "__main__":
    random_ = random.Random(0)
    (GUIDE / "tags.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in tags(random_)))
    pq.write_table(pa.Table.from_pylist(ratings(random_)), GUIDE / "ratings.parquet", compression="snappy")
