"""One tiny GPT-2 in every kind of file that the hub has: checkpoints/.

A legacy pickle and a zip pickle, both with attention masks and a copied head, and safetensors shards with an index.
"""
import shutil
from collections import OrderedDict

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

LAYERS, POSITIONS, VOCABULARY = 2, 32, 256


def record(out, seed):
    folder = out / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    torch.manual_seed(seed + 2)
    end = VOCABULARY - 1
    config = GPT2Config(n_embd=32, n_layer=LAYERS, n_head=2, vocab_size=VOCABULARY, n_positions=POSITIONS, bos_token_id=end, eos_token_id=end)
    model = GPT2LMHeadModel(config).half()
    state = OrderedDict((name, tensor.clone()) for name, tensor in model.state_dict().items() if name != "lm_head.weight")
    for layer in range(LAYERS):
        state[f"transformer.h.{layer}.attn.bias"] = torch.tril(torch.ones(POSITIONS, POSITIONS)).view(1, 1, POSITIONS, POSITIONS).half()
        state[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4).half()
    state["lm_head.decoder.weight"] = state["transformer.wte.weight"].clone()
    torch.save(state, folder / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "zip.bin")
    model.config.save_pretrained(folder)
    model.save_pretrained(folder / "sharded", max_shard_size="16KB")
    save_file({name: tensor.contiguous() for name, tensor in model.transformer.state_dict().items()}, folder / "expected.safetensors")
    ids = torch.randint(0, end, (2, 6))
    model = model.float().eval()
    with torch.no_grad():
        hidden, logits = model.transformer(ids).last_hidden_state, model(ids).logits
    save_file({"input_ids": ids.int(), "hidden": hidden.contiguous(), "logits": logits.contiguous()}, folder / "forward.safetensors")
