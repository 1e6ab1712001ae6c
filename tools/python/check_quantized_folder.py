"""Holds the 4-bit folders that @qlora-js/quant writes to transformers and bitsandbytes.

usage: python tools/python/check_quantized_folder.py [SEED]      with torch, transformers and bitsandbytes installed

Random GPT-2s and Llamas are saved by transformers and quantised here; transformers loads what we wrote, whole and in
shards, without a word about quantisation. Its logits must be those of the model that it quantises itself.
"""
import json, subprocess, sys, tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

root = Path(__file__).resolve().parents[2]
torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
MODELS = {
    "gpt2": GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=32, n_embd=128, n_layer=2, n_head=4)),
    "llama": LlamaForCausalLM(LlamaConfig(vocab_size=300, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
                                          num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False)),
}
CASES = [{}, {"quantType": "fp4", "doubleQuant": False}, {"maxShardBytes": 100_000}]


def logits(model, ids):
    # bitsandbytes packs its CPU weights for another kernel once a model is in eval mode.
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        return model(ids).logits


failed = 0
with tempfile.TemporaryDirectory() as folder:
    for name, model in MODELS.items():
        source = Path(folder) / name
        model.save_pretrained(source)
        ids = torch.randint(0, 300, (2, 16))
        for index, options in enumerate(CASES):
            target = Path(folder) / f"{name}-{index}"
            subprocess.run([root / "node_modules/.bin/tsx", "--conditions=@qlora-js/source",
                            root / "tools/python/quantize-folder.ts", source, target, json.dumps(options)], check=True, cwd=root)
            config = BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_quant_type=options.get("quantType", "nf4"),
                bnb_4bit_use_double_quant=options.get("doubleQuant", True), bnb_4bit_compute_dtype=torch.float32)
            theirs = AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype=torch.float32)
            ours = AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32)
            difference = (logits(ours, ids) - logits(theirs, ids)).abs().max().item()
            shards = len(list(target.glob("*.safetensors")))
            print(f"{name} {options}: {shards} file(s), largest difference of a logit {difference:.2e}")
            failed += difference > 1e-6
sys.exit(1 if failed else 0)
