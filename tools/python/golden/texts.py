"""The ids that transformers' GPT2Tokenizer gives texts, and what they decode to: tokenizer.json."""
import json
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

BASE = Path(__file__).resolve().parents[3] / "packages/base-mini/weights"
CHOSEN = [
    "", " ", "  two  spaces", "I'm can't they'll WE'VE", "naïve café ☕ 日本語 🙂👍🏽", "tab\tnew\nline\r\n",
    "1234567890 3.14 €50 £1,000", "<|endoftext|>", "a<|endoftext|>b", "ﬁ ﬂ", "\u00a0nbsp\u2003em", "𝒳 𝔘", "e\u0301",
    "İstanbul", "#!/bin/sh", "ØÅ", "\u200bzero",
]
WORDS = (
    "I my the a card payment transfer money account cash PIN top-up fee rate refund app bank statement why when what how "
    "has hasn't been is can't declined arrived charged twice pending exchanged stolen activate verify please today still"
).split()
MARKS = [".", ",", "!", "?", "...", "'s", "\n", "  ", "\t", "£12.50", "24/7", "@home", "(again)", "—", "✓", "🙂", "ß", "日本"]


def random_text(rng):
    """Words and marks, or code points of any plane."""
    if rng.random() < 0.75:
        parts = [str(rng.choice(WORDS if rng.random() < 0.8 else MARKS)) for _ in range(rng.integers(3, 30))]
        return "".join(part if part in MARKS else " " + part for part in parts).removeprefix(" " if rng.random() < 0.8 else "")
    starts = rng.choice([0x20, 0xA0, 0x370, 0x600, 0x3040, 0x4E00, 0x1F300, 0x1D400], rng.integers(1, 20))
    return "".join(chr(int(start) + int(rng.integers(0, 90))) for start in starts)


def record(out, seed):
    rng = np.random.default_rng(seed)
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    texts = CHOSEN + [random_text(rng) for _ in range(80)]
    ids = [tokenizer(text)["input_ids"] for text in texts]
    golden = [{"text": text, "ids": of_text, "decoded": tokenizer.decode(of_text)} for text, of_text in zip(texts, ids)]
    (out / "tokenizer.json").write_text(json.dumps(golden, indent=0) + "\n")
