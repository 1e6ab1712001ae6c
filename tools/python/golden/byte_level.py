"""Tiny byte-level tokenizers with the pre-tokenizers of SmolLM, Llama 3 and Qwen2, and the ids they give: byte-level.json."""
import json

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from texts import CHOSEN, MARKS, WORDS, random_text

CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ["<|end|>", "<|start|>"]
MORE = [
    "a1 22  333   4444\n5", "it'S 'LL 'ſ x'Re", "\r\n\r\n a \n  b", "!?\n\n...\r", " \u3000x \u00b2\u2167", "A\u030a e\u0301 \u1100\u1161",
    "(word) -word\tword", "\n", "   ", "x   ", "日本 語1２", "'", "''s", "don't DON'T", "𝟘𝟙 𝟚", "…a", " …", "<|start|>user\nhi<|end|>\n",
]


def pipeline(kind):
    byte_level = lambda regex: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)
    if kind == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)])
    digits = "{1,3}" if kind == "llama3" else ""
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CL100K % digits), "isolated"), byte_level(False)])


def build(kind, corpus):
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
    tokenizer.pre_tokenizer = pipeline(kind)
    tokenizer.decoder = decoders.ByteLevel()
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, special_tokens=SPECIAL, show_progress=False))
    if kind == "llama3":
        template = processors.TemplateProcessing(single="<|start|> $A", special_tokens=[("<|start|>", tokenizer.token_to_id("<|start|>"))])
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template])
    tokenizer.add_special_tokens([AddedToken("<|added|>", special=True, normalized=False)])
    return tokenizer


def record(out, seed):
    rng = np.random.default_rng(seed)
    corpus = [random_text(rng) for _ in range(300)] + WORDS + MARKS
    texts = CHOSEN + MORE + [random_text(rng) for _ in range(60)]
    golden = {"texts": texts, "tokenizers": {}}
    for kind in ("smollm", "llama3", "qwen2"):
        tokenizer = build(kind, corpus)
        ids = [tokenizer.encode(text).ids for text in texts]
        golden["tokenizers"][kind] = {
            "file": json.loads(tokenizer.to_str()),
            "ids": ids,
            "decoded": [tokenizer.decode(of_text, skip_special_tokens=False) for of_text in ids],
        }
    (out / "byte-level.json").write_text(json.dumps(golden) + "\n")
