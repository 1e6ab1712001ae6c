"""Loads adapters that @qlora-js/lora has written into Python's PEFT and holds its logits to ours.

usage: python tools/verify/python/check_adapter.py BASE      with torch, transformers and peft installed

BASE is a folder with a GPT-2 checkpoint and its tokenizer. LoRA, rsLoRA, DoRA, rank and alpha patterns and all-linear,
each with random weights and a trained head, in float32 on both sides. The other half, PEFT's adapters here, is among
the tests of packages/lora and packages/trainer.
"""
import json, subprocess, sys, tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import GPT2ForSequenceClassification, logging

root = Path(__file__).resolve().parents[3]
# Sums in another order, and tanh of another library, through every block.
TOLERANCE = 2e-5


def main(base):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = root / "tools/verify/python/make-adapters.ts"
        subprocess.run([root / "node_modules/.bin/tsx", "--conditions=@qlora-js/source", script, base, folder], check=True, cwd=root)
        ours = json.loads((folder / "logits.json").read_text())
        shape = (-1, ours["length"])
        ids = torch.tensor(ours["inputIds"]).view(shape)
        mask = torch.tensor(ours["attentionMask"]).view(shape)
        failed = 0
        for case, logits in ours["logits"].items():
            model = GPT2ForSequenceClassification.from_pretrained(
                base, num_labels=ours["labels"], pad_token_id=ours["padTokenId"], dtype=torch.float32)
            peft = PeftModel.from_pretrained(model, folder / case).eval()
            with torch.no_grad():
                theirs = peft(input_ids=ids, attention_mask=mask).logits
                with peft.disable_adapter():
                    without = peft(input_ids=ids, attention_mask=mask).logits
            mine = torch.tensor(logits).view(theirs.shape)
            error = ((mine - theirs).abs().max() / theirs.abs().max()).item()
            moved = ((theirs - without).abs().max() / theirs.abs().max()).item()
            # An adapter that does nothing would agree with one that is not read.
            right = error <= TOLERANCE and moved > 100 * TOLERANCE
            failed += not right
            print(f"{case:12} largest error {error:.1e} of the largest logit, the adapter moves them by {moved:.1e}: {'right' if right else 'WRONG'}")
    print(f"{len(ours['logits']) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    logging.set_verbosity_error()
    main(str(Path(sys.argv[1]).resolve()))
