"""Has transformers' Trainer take over trainer_state.json as this repository's trainer writes it.

usage: python tools/verify/python/check_trainer_state.py      with torch and transformers installed

For each checkpoint of a training: TrainerState loads the file and writes the same values again; a Trainer that goes on from it
restores the state of TrainerControl and of EarlyStoppingCallback.
"""
import json, subprocess, sys, tempfile
from pathlib import Path

from transformers import EarlyStoppingCallback, GPT2Config, GPT2ForSequenceClassification, Trainer, TrainerState, TrainingArguments, logging

root = Path(__file__).resolve().parents[3]


def trainer_on(state, folder):
    model = GPT2ForSequenceClassification(GPT2Config(vocab_size=8, n_positions=8, n_embd=8, n_layer=1, n_head=2, pad_token_id=0))
    arguments = TrainingArguments(folder, report_to="none", use_cpu=True, disable_tqdm=True, restore_callback_states_from_checkpoint=True)
    trainer = Trainer(model, arguments, callbacks=[EarlyStoppingCallback()])
    trainer.state = state
    trainer.control.should_save = None
    trainer._load_callback_state()
    return trainer


def check(path, folder):
    ours = json.loads(path.read_text())
    state = TrainerState.load_from_json(str(path))
    state.save_to_json(str(Path(folder) / "again.json"))
    again = json.loads((Path(folder) / "again.json").read_text())
    yield "the same values again", again == ours
    yield "keys in their order", list(again) == list(ours)
    trainer = trainer_on(state, folder)
    control = ours["stateful_callbacks"]["TrainerControl"]["args"]
    yield "TrainerControl", trainer.control.should_save is not None and all(getattr(trainer.control, key) == value for key, value in control.items())
    stored = ours["stateful_callbacks"]["EarlyStoppingCallback"]
    [callback] = [held for held in trainer.callback_handler.callbacks if isinstance(held, EarlyStoppingCallback)]
    expected = {**stored["args"], **stored["attributes"]}
    yield "EarlyStoppingCallback", callback.early_stopping_patience == 4 and all(getattr(callback, key) == value for key, value in expected.items())


def main():
    counts = [0, 0]
    with tempfile.TemporaryDirectory() as folder:
        script = root / "tools/verify/python/write-trainer-state.ts"
        subprocess.run([root / "node_modules/.bin/tsx", "--conditions=@qlora-js/source", script, folder], check=True, cwd=root)
        files = sorted(Path(folder).glob("checkpoint-*.json"))
        assert files, "the training left no checkpoint"
        for path in files:
            for what, holds in check(path, folder):
                counts[not holds] += 1
                print(f"{'ok' if holds else 'FAILED'} {path.stem}: {what}")
    print(f"{counts[0]} passed, {counts[1]} failed")
    sys.exit(1 if counts[1] else 0)


logging.set_verbosity_error()
main()
