"""Records what PEFT computes with adapters beyond plain LoRA, into packages/lora/test/golden.

usage: python tools/python/golden_adapters.py      with torch, transformers and peft installed; no other files, no network

A tiny random GPT-2 classifier in float32 (base/), and for each case the adapter's folder as PEFT saves it together with
expected.safetensors: the logits of one padded batch and the gradient of its loss for every trained parameter.
Weights come from one seed. Versions, seed and command stand in versions.json.
"""
import json, platform, shutil, subprocess, warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import torch, transformers, peft
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2ForSequenceClassification

SEED = 0
root = Path(__file__).resolve().parents[2]
target = root / "packages/lora/test/golden"
# attn.c_proj is square, the other layers are not: a weight that is transposed by mistake shows in both.
CONFIG = dict(vocab_size=40, n_positions=24, n_embd=16, n_layer=3, n_head=2, n_inner=24, bos_token_id=39, eos_token_id=39,
              pad_token_id=38, num_labels=5, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
TEXTS = [[3, 14, 15, 9, 26, 5], [35, 8, 9], [7, 1, 30, 22]]
LABELS = [4, 0, 2]

CASES = {
    "plain": dict(target_modules=["c_attn", "c_proj"]),
    "rslora": dict(target_modules=["c_attn", "c_proj"], use_rslora=True),
    "patterns": dict(target_modules=["c_attn", "c_proj"], rank_pattern={"attn.c_proj": 2, r"h\.2\.mlp\.c_proj": 6},
                     alpha_pattern={"c_attn": 20, r"h\.0\..*": 3}),
    "rslora-patterns": dict(target_modules=["c_attn", "c_proj"], use_rslora=True, rank_pattern={"c_attn": 2, "mlp.c_proj": 3},
                            alpha_pattern={"attn.c_proj": 5}),
    "dora": dict(target_modules=["c_attn", "c_proj"], use_dora=True),
    "dora-rslora-patterns": dict(target_modules=["c_attn", "c_fc"], use_dora=True, use_rslora=True, rank_pattern={"c_fc": 2}),
    "all-linear": dict(target_modules="all-linear"),
    "regular-expression": dict(target_modules=r".*\.h\.[02]\.(attn\.c_attn|mlp\.c_fc)"),
    "excluded": dict(target_modules=["c_attn", "c_proj", "c_fc"], exclude_modules=["mlp.c_proj", "transformer.h.1.attn.c_attn"]),
    "excluded-by-expression": dict(target_modules=["c_attn", "c_proj"], exclude_modules=r".*\.h\.0\..*"),
    "layers": dict(target_modules=["c_attn", "c_proj"], layers_to_transform=[0, 2], layers_pattern="h"),
    "layers-without-pattern": dict(target_modules=["c_attn"], layers_to_transform=1),
    "bias-all": dict(target_modules=["c_attn"], bias="all"),
    "bias-lora-only": dict(target_modules=["mlp.c_proj"], bias="lora_only"),
    "saved-modules": dict(target_modules=["c_attn"], modules_to_save=["c_fc", "attn.c_proj"]),
    "saved-square": dict(target_modules=["c_attn"], modules_to_save=["attn.c_proj"]),
}


def draw(model):
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape) * 0.1)


def base_model():
    torch.manual_seed(SEED)
    model = GPT2ForSequenceClassification(GPT2Config(**CONFIG, attn_implementation="eager")).float()
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            parameter.copy_(torch.randn(parameter.shape) * 0.25 + (1.0 if ".ln_" in name and name.endswith("weight") else 0.0))
    return model


def batch():
    length = max(map(len, TEXTS))
    ids = torch.tensor([text + [CONFIG["pad_token_id"]] * (length - len(text)) for text in TEXTS])
    mask = torch.tensor([[1] * len(text) + [0] * (length - len(text)) for text in TEXTS])
    return dict(input_ids=ids, attention_mask=mask, labels=torch.tensor(LABELS))


def record(name, options):
    model = GPT2ForSequenceClassification.from_pretrained(target / "base", dtype=torch.float32, attn_implementation="eager")
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, task_type="SEQ_CLS", **options)
    model = get_peft_model(model, config).train()
    torch.manual_seed(SEED + 1)
    draw(model)
    output = model(**batch())
    output.loss.backward()
    expected = {"logits": output.logits.detach(), "loss": output.loss.detach().reshape(1)}
    for path, parameter in model.named_parameters():
        if parameter.requires_grad:
            expected[f"gradient.{path}"] = parameter.grad.contiguous()
    folder = target / name
    # The folder of the base is this machine's, and no reader needs it.
    model.peft_config["default"].base_model_name_or_path = "base"
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    save_file(expected, folder / "expected.safetensors")
    print(f"{name}: {len(expected) - 2} trained parameters, loss {output.loss.item():.6f}")


def main():
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    base_model().save_pretrained(target / "base")
    for name, options in CASES.items():
        record(name, options)
    versions = {"command": "python tools/python/golden_adapters.py", "seed": SEED, "python": platform.python_version(),
                **{module.__name__: module.__version__ for module in (torch, transformers, peft)},
                "texts": TEXTS, "labels": LABELS, "cases": list(CASES)}
    (target / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")
    subprocess.run([root / "node_modules/.bin/prettier", "--write", "--log-level", "warn", target], check=True)


if __name__ == "__main__":
    main()
