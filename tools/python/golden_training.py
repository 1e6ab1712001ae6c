"""Records what Python computes for the golden training batches in float32, into packages/gpt2/test/golden-training.json.

usage: python tools/python/golden_training.py BASE FIXTURES
       with torch, transformers, peft and bitsandbytes installed; BASE is the small base, FIXTURES the golden fixtures

The fixtures' own training.safetensors was recorded where bitsandbytes runs inference on bfloat16 copies of the 4-bit
weights (CPUs with AVX512-BF16, after model.eval()); its logits carry that rounding and its gradients lack the path
through the base layers. Here that path is off, as it is on every other CPU and on GPUs: same batches, same adapter.
"""
import json, subprocess, sys, warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import numpy as np
import torch
import bitsandbytes as bnb
import bitsandbytes.nn.modules
from peft import PeftModel, prepare_model_for_kbit_training
from safetensors.torch import load_file
from transformers import BitsAndBytesConfig, GPT2ForSequenceClassification, get_linear_schedule_with_warmup
import peft, transformers

bitsandbytes.nn.modules.has_avx512bf16 = lambda: False
matmul_4bit = bnb.matmul_4bit


def matmul_4bit_bias_apart(A, B, quant_state, out=None, bias=None):
    """Adds the bias out of place: bitsandbytes' CPU path adds it into a leaf's view."""
    y = matmul_4bit(A, B, quant_state=quant_state)
    return y if bias is None else y + bias


bnb.matmul_4bit = matmul_4bit_bias_apart

base, fixtures = sys.argv[1], Path(sys.argv[2])
root = Path(__file__).resolve().parents[2]
target = root / "packages/gpt2/test/golden-training.json"
batches = load_file(fixtures / "training.safetensors")
SAMPLES = {"hidden": 256, "gradient": 64}
OPTIMISERS = {
    "adamw_torch": lambda parameters: torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01),
    "paged_adamw_8bit": lambda parameters: bnb.optim.PagedAdamW8bit(parameters, lr=1e-3, weight_decay=0.01),
}


def load():
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32, bnb_4bit_use_double_quant=True
    )
    model = GPT2ForSequenceClassification.from_pretrained(
        base, num_labels=77, pad_token_id=50256, dtype=torch.float32, device_map={"": "cpu"}, quantization_config=quantisation
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return PeftModel.from_pretrained(model, fixtures / "adapter-start", is_trainable=True).train()


def batch(index, texts=16):
    return {key: batches[f"batch{index}.{key}"][:texts].long() for key in ("input_ids", "attention_mask", "labels")}


def trained(model):
    """By the names that adapter files have."""
    named = ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
    return {name.replace(".default", "").replace(".modules_to_save", ""): parameter for name, parameter in named}


def floats(tensor):
    """Nine digits hold a float32."""
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def sample(tensor, kind, seed):
    flat = tensor.detach().flatten()
    at = np.sort(np.random.default_rng(seed).choice(flat.numel(), min(SAMPLES[kind], flat.numel()), replace=False))
    return {"norm": float(f"{flat.double().norm().item():.9g}"), "at": at.tolist(), "values": floats(flat[torch.from_numpy(at)])}


def start(texts):
    model = load()
    inputs = batch(0, texts)
    with torch.no_grad():
        tokens = {key: inputs[key] for key in ("input_ids", "attention_mask")}
        states = model.base_model.model.transformer(**tokens, output_hidden_states=True).hidden_states
    output = model(**inputs)
    output.loss.backward()
    gradients = {name: parameter.grad for name, parameter in trained(model).items()}
    return {
        "texts": texts,
        "loss": output.loss.item(),
        "logits": floats(output.logits),
        "hidden": [sample(state, "hidden", index) for index, state in enumerate(states)],
        "gradients": {name: sample(gradient, "gradient", index) for index, (name, gradient) in enumerate(gradients.items())},
        "gradNorm": torch.linalg.vector_norm(torch.stack([gradient.norm() for gradient in gradients.values()])).item(),
    }


def run(make):
    model = load()
    parameters = list(trained(model).values())
    optimiser = make(parameters)
    schedule = get_linear_schedule_with_warmup(optimiser, 4, 24)
    steps = []
    for index in range(24):
        loss = model(**batch(index)).loss
        loss.backward()
        grad_norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        steps.append({"loss": loss.item(), "gradNorm": grad_norm.item(), "learningRate": schedule.get_last_lr()[0]})
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
    with torch.no_grad():
        logits = model(**batch(0)).logits
    return {"steps": steps, "logits": floats(logits)}


golden = {
    "versions": {module.__name__: module.__version__ for module in (torch, transformers, peft, bnb)},
    # The whole first batch, and its first two texts for machines that take minutes for the whole.
    "start": start(16),
    "pair": start(2),
    "runs": {name: run(make) for name, make in OPTIMISERS.items()},
}
target.write_text(json.dumps(golden))
subprocess.run([root / "node_modules/.bin/prettier", "--write", "--log-level", "warn", target], check=True, cwd=root)
print(target, target.stat().st_size, "bytes; loss", golden["start"]["loss"])
