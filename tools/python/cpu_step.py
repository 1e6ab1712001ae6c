"""Times training steps of the small base on this machine's CPU with transformers, PEFT and bitsandbytes.

usage: python tools/python/cpu_step.py BASE BATCH LENGTH      with torch, transformers, peft and bitsandbytes installed

BASE is the folder of the base's config.json: the weights are random, since bitsandbytes does not read the embedding in
4 bits that the small base comes with, and the time does not depend on their values.

Prints one line of JSON with the versions and torch's threads, then waits: for every line with a number of steps on
standard input it runs them and prints their milliseconds a step. So one process can take turns with another that is
measured in the same minutes. tools/bench/cpu-step.ts --peer does that.
"""
import json, sys, tempfile, time, warnings

warnings.filterwarnings("ignore")
import torch
import bitsandbytes as bnb
import peft, transformers
from peft import LoraConfig, TaskType, get_peft_model, prepare_model_for_kbit_training
from transformers import BitsAndBytesConfig, GPT2Config, GPT2ForSequenceClassification

matmul_4bit = bnb.matmul_4bit


def matmul_4bit_bias_apart(A, B, quant_state, out=None, bias=None):
    """Adds the bias out of place: bitsandbytes' CPU path may add it into a leaf's view, which autograd refuses."""
    y = matmul_4bit(A, B, quant_state=quant_state)
    return y if bias is None else y + bias


bnb.matmul_4bit = matmul_4bit_bias_apart

base, batch, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
quantisation = BitsAndBytesConfig(
    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32, bnb_4bit_use_double_quant=True
)
config = GPT2Config.from_pretrained(base, num_labels=77, pad_token_id=50256)
with tempfile.TemporaryDirectory() as folder:
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    model = GPT2ForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, device_map={"": "cpu"}, quantization_config=quantisation
    )
model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.1, target_modules=["c_attn", "c_proj"], task_type=TaskType.SEQ_CLS)
model = get_peft_model(model, lora).train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01)
ids = torch.randint(0, 50_000, (batch, length))
mask = torch.ones_like(ids)
labels = torch.randint(0, 77, (batch,))


def step():
    model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()


versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (torch, transformers, peft, bnb))
print(json.dumps({"versions": versions, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    steps = int(line)
    started = time.perf_counter()
    for _ in range(steps):
        step()
    print((time.perf_counter() - started) / steps * 1e3, flush=True)
