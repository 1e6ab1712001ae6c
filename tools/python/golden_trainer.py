"""Records what transformers' Trainer logs and which events it emits, into packages/trainer/test/golden-trainer.json.

usage: python tools/python/golden_trainer.py
       with torch and transformers installed (transformers 5.23.0, torch 2.15.0 when it was recorded)

A GPT-2 of width 8 with random weights classifies rows of random tokens; what is recorded depends on neither: names and
order of events, the rows of the log with their keys, steps, epochs and learning rates, the samples and steps that rates are
made of, and trainer_state.json without its figures. Beside them, losses of a few logits and their gradients.
"""
import json, tempfile, warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import torch, transformers
from transformers import EarlyStoppingCallback, GPT2Config, GPT2ForSequenceClassification, Trainer, TrainerCallback, TrainingArguments
from transformers import trainer as trainer_module

root = Path(__file__).resolve().parents[2]
target = root / "packages/trainer/test/golden-trainer.json"
transformers.utils.logging.set_verbosity_error()

EVENTS = [
    "on_train_begin", "on_epoch_begin", "on_step_begin", "on_substep_end", "on_pre_optimizer_step", "on_optimizer_step",
    "on_step_end", "on_log", "on_prediction_step", "on_evaluate", "on_predict", "on_save", "on_epoch_end", "on_train_end",
]  # fmt: skip
# Figures that depend on weights or on time: only that they are there is recorded.
VALUES = ("loss", "grad_norm", "runtime", "per_second", "total_flos")

RUNS = {
    "defaults": dict(),
    "windows cut short": dict(per_device_train_batch_size=5, gradient_accumulation_steps=2, logging_steps=1),
    "epochs": dict(eval_strategy="epoch", save_strategy="epoch", logging_steps=2, warmup_steps=2),
    "steps": dict(eval_strategy="steps", eval_steps=2, save_strategy="steps", save_steps=3, logging_steps=2),
    "logging by epochs": dict(logging_strategy="epoch", logging_first_step=True),
    "no logging": dict(logging_strategy="no"),
    "delayed": dict(eval_strategy="steps", eval_steps=1, eval_delay=3, logging_steps=10),
    "delayed epochs": dict(eval_strategy="epoch", eval_delay=2, num_train_epochs=3),
    "max_steps": dict(max_steps=5, gradient_accumulation_steps=2, logging_steps=2, eval_strategy="steps", eval_steps=3,
                      save_strategy="steps", save_steps=2, lr_scheduler_type="cosine", warmup_steps=0.2),
    "part of an epoch": dict(num_train_epochs=1.5, logging_steps=1, gradient_accumulation_steps=2),
    "best": dict(eval_strategy="epoch", save_strategy="best", metric_for_best_model="scripted", greater_is_better=True,
                 load_best_model_at_end=True, num_train_epochs=4),
    "early stopping": dict(eval_strategy="epoch", save_strategy="epoch", metric_for_best_model="scripted", greater_is_better=True,
                           load_best_model_at_end=True, num_train_epochs=6),
}  # fmt: skip
# What evaluations of these runs come to, in their order.
SCRIPTED = [0.5, 0.7, 0.6, 0.65, 0.9, 0.1]
ROWS, EVAL_ROWS = 24, 10
KEEP_STATE = (
    "epoch", "global_step", "max_steps", "num_train_epochs", "train_batch_size", "eval_steps", "logging_steps", "save_steps",
    "best_global_step", "is_hyper_param_search", "is_local_process_zero", "is_world_process_zero", "trial_name", "trial_params",
)  # fmt: skip


class Recorder(TrainerCallback):
    def __init__(self):
        self.events = []


for name in EVENTS:
    setattr(Recorder, name, lambda self, args, state, control, _name=name, **kwargs: self.events.append(_name))


def rows(count):
    generator = torch.Generator().manual_seed(count)
    ids = torch.randint(1, 32, (count, 6), generator=generator)
    return [dict(input_ids=ids[i], attention_mask=torch.ones_like(ids[i]), labels=int(ids[i, 0]) % 3) for i in range(count)]


def row_of(row):
    return {key: None if key.split("eval_")[-1].startswith(VALUES) or key.endswith(VALUES) else value for key, value in row.items()}


def record(name, options):
    torch.manual_seed(0)
    model = GPT2ForSequenceClassification(
        GPT2Config(vocab_size=32, n_positions=16, n_embd=8, n_layer=1, n_head=2, num_labels=3, pad_token_id=0)
    )
    recorder, rates, evaluations = Recorder(), [], iter(SCRIPTED)
    speed_metrics = trainer_module.speed_metrics

    def recording(split, start_time, num_samples=None, num_steps=None, **kwargs):
        rates.append(dict(split=split, samples=num_samples, steps=num_steps))
        return speed_metrics(split, start_time, num_samples=num_samples, num_steps=num_steps, **kwargs)

    trainer_module.speed_metrics = recording
    callbacks = [recorder] + ([EarlyStoppingCallback(2, 0.05)] if name == "early stopping" else [])
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, use_cpu=True, report_to="none", disable_tqdm=True,
            **{"learning_rate": 1e-3, "num_train_epochs": 2, "save_strategy": "no", **options},
        )  # fmt: skip
        trainer = Trainer(
            model, arguments, train_dataset=rows(ROWS), eval_dataset=rows(EVAL_ROWS), callbacks=callbacks,
            compute_metrics=lambda _: {"scripted": next(evaluations)} if name in ("best", "early stopping") else {},
        )  # fmt: skip
        trainer.train()
        states = {}
        for path in sorted(Path(folder).glob("checkpoint-*/trainer_state.json")):
            state = json.loads(path.read_text())
            states[path.parent.name] = {key: state[key] for key in KEEP_STATE} | {
                "keys": list(state), "stateful_callbacks": state["stateful_callbacks"]
            }  # fmt: skip
        recorder.events.append("predict")
        if name == "defaults":
            trainer.predict(rows(EVAL_ROWS))
    trainer_module.speed_metrics = speed_metrics
    return dict(
        arguments=options, events=recorder.events, log=[row_of(row) for row in trainer.state.log_history],
        log_keys=[list(row) for row in trainer.state.log_history], rates=rates, states=states,
    )  # fmt: skip


def losses():
    """Losses of a few logits and their gradients: LabelSmoother's, and cross-entropy with class weights."""
    from transformers.trainer_pt_utils import LabelSmoother

    logits = torch.linspace(-2, 3, 12).reshape(4, 3) ** 3 / 8
    labels, weights = torch.tensor([2, 0, 1, 1]), torch.tensor([0.5, 2.0, 1.25])
    computed = {
        "smoothed 0.2": lambda given: LabelSmoother(0.2)({"logits": given}, labels[:, None]),
        "weighted": lambda given: torch.nn.functional.cross_entropy(given, labels, weights),
    }
    results = {}
    for name, loss in computed.items():
        given = logits.clone().requires_grad_()
        value = loss(given[:, None] if name.startswith("smoothed") else given)
        value.backward()
        results[name] = dict(loss=value.item(), gradient=given.grad.flatten().tolist())
    return dict(logits=logits.flatten().tolist(), labels=labels.tolist(), weights=weights.tolist(), results=results)


golden = dict(
    versions=dict(transformers=transformers.__version__, torch=torch.__version__.split("+")[0]),
    rows=ROWS, eval_rows=EVAL_ROWS, scripted=SCRIPTED, losses=losses(), runs={name: record(name, options) for name, options in RUNS.items()},
)  # fmt: skip
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps(golden, indent=1) + "\n")
print(f"{target}: {target.stat().st_size} bytes")
