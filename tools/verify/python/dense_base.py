"""Writes the embedded base with every weight in float32, as transformers reads it without quantisation.

usage: python tools/verify/python/dense_base.py OUT      with torch, bitsandbytes and safetensors installed
"""
import shutil
import sys
from pathlib import Path

root = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(root / "tools/python/golden"))
import bitsandbytes_on_cpu  # noqa: F401  before anything else imports bitsandbytes
import bitsandbytes.functional as F
import torch
from safetensors.torch import load_file, save_file

base, out = root / "packages/base-mini/weights", Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
stored, dense = load_file(base / "model.safetensors"), {}
for name in [name for name in stored if name.endswith((".weight", ".bias"))]:
    parts = {key.removeprefix(f"{name}."): value for key, value in stored.items() if key.startswith(f"{name}.")}
    if not parts:
        dense[name] = stored[name].float()
        continue
    values = F.dequantize_4bit(stored[name], F.QuantState.from_dict(parts, device=torch.device("cpu"))).float()
    # Quantised as [out, in]; GPT-2's Conv1D layers keep [in, out], the embedding is no layer of theirs.
    dense[name] = (values if name.endswith("wte.weight") else values.t()).contiguous()
save_file(dense, out / "model.safetensors", {"format": "pt"})
for name in ("config.json", "vocab.json", "merges.txt", "tokenizer_config.json"):
    shutil.copy(base / name, out / name)
