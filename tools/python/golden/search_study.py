"""A study of Optuna as its journal keeps it, and the densities that its TPE gives to candidates: optuna/."""
import json
from datetime import timezone

import numpy as np
import optuna
from optuna import distributions as D
from optuna.samplers import TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from ties import first_without

TRIALS = 30
NAME, USER_ATTRS = "banking77", {"model": "microsoft/DialoGPT-medium"}
SPACE = {
    "learning_rate": D.FloatDistribution(1e-5, 5e-4, log=True),
    "batch_size": D.CategoricalDistribution([4, 8, 16]),
    "num_train_epochs": D.IntDistribution(2, 5),
    "weight_decay": D.FloatDistribution(0.01, 0.1),
    "warmup_steps": D.IntDistribution(100, 500, step=50),
}


def objective(trial):
    """packages/hpo/src/testing/optuna-fixtures.ts has the same."""
    learning_rate = trial.suggest_float("learning_rate", 1e-5, 5e-4, log=True)
    batch_size = trial.suggest_categorical("batch_size", [4, 8, 16])
    epochs = trial.suggest_int("num_train_epochs", 2, 5)
    weight_decay = trial.suggest_float("weight_decay", 0.01, 0.1)
    warmup_steps = trial.suggest_int("warmup_steps", 100, 500, step=50)
    base = (
        0.9
        - (np.log10(learning_rate) + 3.6) ** 2 * 0.2
        - abs(batch_size - 8) * 0.002
        + epochs * 0.004
        - (weight_decay - 0.03) ** 2
        - abs(warmup_steps - 250) * 1e-5
    )
    for step in range(epochs):
        trial.report(base * (1 - 0.5 ** (step + 1)), step)
        if trial.should_prune():
            raise optuna.TrialPruned()
    if trial.number == 7:
        raise ValueError("boom")
    return base


def milliseconds(time):
    """Optuna's times are local and without a zone."""
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_trial(trial):
    return {
        "number": trial.number,
        "state": trial.state.name,
        "value": trial.value,
        "params": trial.params,
        "intermediate": trial.intermediate_values,
        "start": milliseconds(trial.datetime_start),
        "complete": milliseconds(trial.datetime_complete),
    }


def densities(study, seed):
    done = [trial for trial in study.trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    gamma = default_gamma(len(done))
    below, above = _split_trials(study, done, gamma)
    settings = TPESampler(seed=seed)._parzen_estimator_parameters
    cases = []
    for keys in [list(SPACE), *([key] for key in SPACE)]:
        space = {key: SPACE[key] for key in keys}
        random = np.random.RandomState(seed + 3)
        estimator = lambda trials: _ParzenEstimator(
            {key: np.array([space[key].to_internal_repr(trial.params[key]) for trial in trials]) for key in keys}, space, settings, None
        )
        better, others = estimator(below), estimator(above)
        candidates = better.sample(random, 24)
        log_l, log_g = better.log_pdf(candidates), others.log_pdf(candidates)
        cases.append({
            "candidates": {key: values.tolist() for key, values in candidates.items()},
            "log_l": log_l.tolist(), "log_g": log_g.tolist(), "best": int(np.argmax(log_l - log_g)),
        })
    numbers = lambda trials: [trial.number for trial in trials]
    return {"n_done": len(done), "gamma": gamma, "below": numbers(below), "above": numbers(above), "cases": cases}


def record(out, seed):
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    folder = out / "optuna"
    folder.mkdir(exist_ok=True)
    journal = folder / "journal.log"

    def search(seed):
        journal.unlink(missing_ok=True)
        study = optuna.create_study(
            study_name=NAME, direction="maximize", storage=JournalStorage(JournalFileBackend(str(journal))),
            sampler=TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner(),
        )
        for key, value in USER_ATTRS.items():
            study.set_user_attr(key, value)
        study.optimize(objective, n_trials=TRIALS, catch=(ValueError,))
        return study

    seed, study = first_without(seed, search)
    expected = {
        "seed": seed, "name": NAME, "user_attrs": USER_ATTRS, "best_value": study.best_value, "best_params": study.best_params,
        "trials": [of_trial(trial) for trial in study.trials],
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=0) + "\n")
    (folder / "tpe.json").write_text(json.dumps(densities(study, seed), indent=0) + "\n")
