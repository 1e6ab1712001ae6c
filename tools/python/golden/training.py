"""QLoRA training steps of transformers, PEFT and bitsandbytes in float32: training/.

base/                      the GPT-2 that is trained: tiny and random, or the one that BASE names
base-nf4/                  the same as transformers saves it in 4 bits, with a classifier's head
adapter-start/             a LoRA adapter to start from
adapter-OPTIMIZER/         where the steps of each optimiser end
batches.safetensors        token ids, masks and labels, taken in turn by the steps
start.safetensors          the first batch at the start: logits, hidden states, every gradient
runs.json                  loss, gradient norm and learning rate of each step; sizes; PEFT's count of parameters

The model stays in train mode, without dropout: after eval() bitsandbytes' CPU path computes something else.
"""
import io
import json
import shutil
from contextlib import redirect_stdout

import bitsandbytes as bnb
import bitsandbytes.functional as F
import numpy as np
import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model, prepare_model_for_kbit_training
from safetensors.torch import load_file, save_file
from transformers import BitsAndBytesConfig, GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel, get_linear_schedule_with_warmup

BASE = None
# Each of the batches is seen four times, so that there is something to learn.
STEPS, BATCHES, WARMUP, ROWS, LABELS = 24, 6, 4, 8, 7
LEARNING_RATE, WEIGHT_DECAY, MAX_NORM = 3e-3, 0.01, 1.0
# Rank 16 gives one matrix of each layer 4,096 elements, from where on bitsandbytes keeps its state in 8 bits.
LORA = dict(r=16, lora_alpha=32, target_modules=["c_attn", "c_proj"], lora_dropout=0.0, bias="none", task_type=TaskType.SEQ_CLS)
OPTIMIZERS = {"adamw_torch": torch.optim.AdamW, "paged_adamw_8bit": bnb.optim.PagedAdamW8bit}
QUANTISATION = dict(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32, bnb_4bit_use_double_quant=True)


def write_tiny_base(folder, seed):
    torch.manual_seed(seed)
    config = GPT2Config(n_embd=64, n_layer=2, n_head=4, vocab_size=211, n_positions=32, bos_token_id=210, eos_token_id=210)
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Wide enough for sharp attention and saturated activations; norms and biases that do something.
            is_norm = ".ln_" in name and name.endswith(".weight")
            parameter.copy_(torch.randn_like(parameter) * 0.1 + (1 if is_norm else 0))
    model.half().save_pretrained(folder)
    (folder / "generation_config.json").unlink()


def write_given_base(folder):
    """A copy of BASE as transformers reads it: an embedding in 4 bits, which it does not know, as float32."""
    tensors = load_file(BASE / "model.safetensors")
    name = "transformer.wte.weight"
    parts = {key: tensors.pop(key) for key in list(tensors) if key.startswith(f"{name}.")}
    if parts:
        state = F.QuantState.from_dict({key.removeprefix(f"{name}."): value for key, value in parts.items()}, device=torch.device("cpu"))
        tensors[name] = F.dequantize_4bit(tensors[name], state).float().contiguous()
    config = json.loads((BASE / "config.json").read_text())
    if any("quant_state" in key for key in tensors):
        config["quantization_config"] = BitsAndBytesConfig(**QUANTISATION).to_dict()
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def load(folder, seed):
    torch.manual_seed(seed + 1)
    config = GPT2Config.from_pretrained(folder)
    quantisation = {} if hasattr(config, "quantization_config") else {"quantization_config": BitsAndBytesConfig(**QUANTISATION)}
    model = GPT2ForSequenceClassification.from_pretrained(
        folder, num_labels=LABELS, pad_token_id=config.eos_token_id, dtype=torch.float32, device_map={"": "cpu"}, **quantisation
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    # What adapter files name as their base, instead of a path of this machine.
    model.name_or_path = model.config._name_or_path = "gpt2"
    return model


def make_batches(config, seed):
    rng = np.random.default_rng(seed + 2)
    longest = min(24, config.n_positions)
    for _ in range(BATCHES):
        lengths = rng.integers(1, longest + 1, ROWS)
        shape = (ROWS, int(lengths.max()))
        mask = np.arange(shape[1]) < lengths[:, None]
        ids = np.where(mask, rng.integers(0, config.eos_token_id, shape), config.eos_token_id)
        labels = rng.integers(0, LABELS, ROWS)
        yield {key: torch.from_numpy(values.astype(np.int64)) for key, values in (("input_ids", ids), ("attention_mask", mask), ("labels", labels))}


def trained(model):
    """By the names that adapter files have."""
    named = ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
    return {name.replace(".default", "").replace(".modules_to_save", ""): parameter for name, parameter in named}


def save_adapter(model, folder):
    # Without asking the network about the base's vocabulary.
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)


def write_start_adapter(folder, base, seed):
    model = prepare_model_for_kbit_training(load(base, seed), use_gradient_checkpointing=False)
    peft = get_peft_model(model, LoraConfig(**LORA))
    for name, parameter in peft.named_parameters():
        # A B of zeros would leave A without a gradient.
        if "lora_B" in name:
            parameter.data = torch.randn_like(parameter) * 0.02
    save_adapter(peft, folder)
    line = io.StringIO()
    with redirect_stdout(line):
        peft.print_trainable_parameters()
    return line.getvalue().strip()


def with_adapter(folder, seed):
    model = prepare_model_for_kbit_training(load(folder / "base", seed), use_gradient_checkpointing=False)
    peft = PeftModel.from_pretrained(model, folder / "adapter-start", is_trainable=True).train()
    return peft


def first_batch(folder, batch, seed):
    model = with_adapter(folder, seed)
    with torch.no_grad():
        tokens = {key: batch[key] for key in ("input_ids", "attention_mask")}
        states = model.base_model.model.transformer(**tokens, output_hidden_states=True).hidden_states
    output = model(**batch)
    output.loss.backward()
    recorded = {"logits": output.logits, "loss": output.loss.reshape(1)}
    recorded |= {f"hidden.{index}": state for index, state in enumerate(states)}
    recorded |= {f"gradient.{name}": parameter.grad for name, parameter in trained(model).items()}
    save_file({name: tensor.detach().contiguous() for name, tensor in recorded.items()}, folder / "start.safetensors")


def run(name, folder, batches, seed):
    model = with_adapter(folder, seed)
    parameters = list(trained(model).values())
    optimizer = OPTIMIZERS[name](parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    steps = []
    for step in range(STEPS):
        loss = model(**batches[step % BATCHES]).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        steps.append({"loss": loss.item(), "gradNorm": norm.item(), "learningRate": schedule.get_last_lr()[0]})
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    save_adapter(model, folder / f"adapter-{name}")
    with torch.no_grad():
        logits = model(**batches[0]).logits
    return {"steps": steps, "logits": logits.flatten().tolist()}


def record(out, seed):
    folder = out / "training"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_tiny_base(folder / "base", seed) if BASE is None else write_given_base(folder / "base")
    model = load(folder / "base", seed)
    model.save_pretrained(folder / "base-nf4")
    batches = list(make_batches(model.config, seed))
    stored = {f"{index}.{key}": tensor.to(torch.int32).contiguous() for index, batch in enumerate(batches) for key, tensor in batch.items()}
    save_file(stored, folder / "batches.safetensors")
    line = write_start_adapter(folder / "adapter-start", folder / "base", seed)
    first_batch(folder, batches[0], seed)
    facts = {
        "numLabels": LABELS, "padTokenId": model.config.eos_token_id, "learningRate": LEARNING_RATE,
        "weightDecay": WEIGHT_DECAY, "warmupSteps": WARMUP, "maxGradNorm": MAX_NORM,
    }
    runs = {name: run(name, folder, batches, seed) for name in OPTIMIZERS}
    (folder / "runs.json").write_text(json.dumps({**facts, "trainableParameters": line, "runs": runs}, indent=1) + "\n")
