"""Records the golden values that the tests read, from the Python stack on a CPU.

usage: python tools/python/golden/record.py [--seed 0] [--out tools/golden] [--only SUBJECT ...] [--base FOLDER]

Needs the packages of tools/python/requirements.txt, no network and no data; two cores take about a minute. The same
tests hold for another seed: record it elsewhere and name the folder in QLORA_FIXTURES. --base names a GPT-2 for the
training steps instead of the tiny random one, as packages/base-mini/weights.
"""
import argparse
import json
import random
import shutil
import sys
import warnings
from importlib import metadata
from pathlib import Path

warnings.filterwarnings("ignore")
import numpy as np
import torch
from transformers.utils import logging

import bitsandbytes_on_cpu  # noqa: F401  before anything imports bitsandbytes
import byte_level
import checkpoints
import generation
import llama
import optimizers
import quantisation
import scores
import search_cases
import search_further
import search_study
import tasks
import texts
import training
import variants

ROOT = Path(__file__).resolve().parents[3]
SUBJECTS = {
    "quant": quantisation.record,
    "optim": optimizers.record,
    "training": training.record,
    "tasks": tasks.record,
    "checkpoints": checkpoints.record,
    "variants": variants.record,
    "llama": llama.record,
    "generation": generation.record,
    "tokenizer": texts.record,
    "byte-level": byte_level.record,
    "metrics": scores.record,
    "study": search_study.record,
    "search-cases": search_cases.record,
    "search-further": search_further.record,
}
PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "optuna", "scikit-learn", "numpy", "scipy", "safetensors", "tokenizers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "tools/golden")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--base", type=Path)
    options = parser.parse_args()
    if options.base is not None:
        training.BASE = options.base.resolve()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        # Each from its own start, so that one alone is what it is among all.
        random.seed(options.seed)
        np.random.seed(options.seed)
        torch.manual_seed(options.seed)
        SUBJECTS[name](options.out, options.seed)
        print(name, flush=True)
    made = options.out / "made.json"
    command = "python tools/python/golden/record.py" + (f" --seed {options.seed}" if options.seed else "")
    versions = {"python": sys.version.split()[0]} | {name: metadata.version(name) for name in PACKAGES}
    if options.only == list(SUBJECTS) and options.base is None:
        made.write_text(json.dumps({"command": command, "seed": options.seed, "versions": versions}, indent=2) + "\n")
    elif made.exists() and json.loads(made.read_text())["seed"] != options.seed:
        sys.exit(f"{made} names another seed: record all subjects, or into another folder")
    for cache in options.out.rglob("__pycache__"):
        shutil.rmtree(cache)


if __name__ == "__main__":
    main()
