"""What Optuna and scipy do in QMC, brute force, groups, patience, thresholds, importances and tables: optuna/further.jsonl."""
import json

import numpy as np
import optuna
from optuna import TrialPruned, distributions as D, importance, pruners, samplers
from optuna.study import _dataframe
from scipy.stats import qmc

from search_cases import of_trials, text
from ties import first_without


def sequences():
    points = lambda engine, start, count: engine.fast_forward(start).random(count).tolist() if start else engine.random(count).tolist()
    return {
        "sobol": points(qmc.Sobol(9, scramble=False), 0, 16),
        "sobol_wide": points(qmc.Sobol(160, scramble=False), 1001, 1),
        "halton": points(qmc.Halton(9, scramble=False), 0, 12),
        "halton_far": points(qmc.Halton(3, scramble=False), 100_003, 1),
    }


def flat(trial):
    """packages/hpo/src/study/optuna-further.test.ts has the same objectives."""
    x = trial.suggest_float("x", 1e-5, 1, log=True)
    y = trial.suggest_float("y", -1, 2, step=0.25)
    k = trial.suggest_int("k", 1, 9)
    n = trial.suggest_int("n", 1, 64, log=True)
    c = trial.suggest_categorical("c", ["it's", None, True, 2.5])
    s = trial.suggest_categorical("s", [3])
    return float(np.log10(x) ** 2 + y + 0.1 * k + 0.01 * n + (0.5 if c is None else 0) + s)


def nested(trial):
    kind = trial.suggest_categorical("kind", ["a", "b"])
    lr = trial.suggest_float("lr", 1e-4, 1, log=True)
    value = (np.log10(lr) + 2) ** 2
    if kind == "a":
        value += trial.suggest_float("a1", 0, 1) + 0.1 * trial.suggest_int("a2", 1, 5)
    else:
        value += trial.suggest_float("b1", 0, 2)
    if trial.number % 5 == 3:
        trial.set_constraint("limit", lr - 0.1)
    return float(value)


def countable(trial):
    kind = trial.suggest_categorical("kind", ["float", "int", None])
    if kind == "float":
        return trial.suggest_float("x", 0, 1, step=0.05)
    if kind == "int":
        a = trial.suggest_int("a", 1, 3)
        return a + trial.suggest_int("b", a, 3)
    return 0.5


def searched(sampler, objective, trials, **options):
    def search(seed):
        study = optuna.create_study(sampler=sampler(seed), **options)
        study.optimize(objective, n_trials=trials)
        return study

    return search


def with_trials(seed, search):
    first, study = first_without(seed, search)
    return {"seed": first, "trials": of_trials(study), "system_attrs": study.system_attrs if hasattr(study, "system_attrs") else study._storage.get_study_system_attrs(study._study_id)}


def curve(number, step):
    return ((number * 31 + step * 17) % 23) / 23 - 0.02 * step


def reporting(pruner, direction, nan):
    study = optuna.create_study(sampler=samplers.RandomSampler(seed=0), pruner=pruner, direction=direction)

    def objective(trial):
        trial.suggest_float("x", 0, 1)
        for step in range(12):
            trial.report(float("nan") if nan and (trial.number + step) % 7 == 0 else curve(trial.number, step), step)
            if trial.should_prune():
                raise TrialPruned()
        return curve(trial.number, 11)

    study.optimize(objective, n_trials=24)
    return [[trial.state.name, len(trial.intermediate_values)] for trial in study.trials]


def prunings():
    patient, threshold, median = pruners.PatientPruner, pruners.ThresholdPruner, pruners.MedianPruner
    return {
        "patient": reporting(patient(None, patience=2), "minimize", False),
        "patient-nan": reporting(patient(None, patience=1, min_delta=0.1), "maximize", True),
        "patient-median": reporting(patient(median(n_startup_trials=2), patience=1), "maximize", True),
        "threshold": reporting(threshold(lower=-0.05, upper=0.8), "minimize", False),
        "threshold-interval": reporting(threshold(upper=0.6, n_warmup_steps=2, interval_steps=3), "minimize", True),
    }


def importances(seed):
    for name, objective, direction in (("flat", flat, "minimize"), ("flat-max", flat, "maximize"), ("nested", nested, "minimize")):
        study = optuna.create_study(sampler=samplers.RandomSampler(seed=seed + 21), direction=direction)
        study.optimize(objective, n_trials=80)
        evaluators = {
            "default": {},
            "local": {"target_quantile": 0.2, "region_quantile": 0.6},
            "global": {"evaluate_on_local": False},
        }
        of = lambda options, **more: importance.get_param_importances(
            study, evaluator=importance.PedAnovaImportanceEvaluator(**options), **more
        )
        found = {key: of(options) for key, options in evaluators.items()}
        found["raw"] = of({}, normalize=False)
        found["target"] = of({}, target=lambda trial: trial.number % 13)
        yield {"name": name, "seed": seed + 21, "found": found}


def table():
    study = optuna.create_study(direction="maximize")
    study.set_metric_names(["f1"])
    distributions = {"b": D.FloatDistribution(0, 1), "a": D.CategoricalDistribution(["u", "v"])}
    study.add_trial(optuna.create_trial(params={"b": 0.5, "a": "v"}, distributions=distributions, value=0.7, user_attrs={"note": "x"}))
    study.add_trial(optuna.create_trial(state=optuna.trial.TrialState.FAIL, system_attrs={"why": "y"}))
    # What trials_dataframe hands to pandas.
    attrs = ("number", "value", "params", "user_attrs", "system_attrs", "state")
    records, columns = _dataframe._create_records_and_aggregate_column(study, attrs)
    return {"columns": _dataframe._flatten_columns(columns), "rows": [[record.get(column) for column in columns] for record in records]}


def record(out, seed):
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    qmc_of = lambda kind: lambda seed: samplers.QMCSampler(qmc_type=kind, seed=seed)
    fixed = lambda seed: samplers.PartialFixedSampler({"k": 4, "c": None}, samplers.TPESampler(seed=seed))
    subjects = {
        "sequences": sequences(),
        "qmc_sobol": with_trials(seed + 1, searched(qmc_of("sobol"), flat, 18)),
        "qmc_halton": with_trials(seed + 2, searched(qmc_of("halton"), flat, 12)),
        "partial_fixed": with_trials(seed + 3, searched(fixed, flat, 24)),
        "group": with_trials(seed + 4, searched(lambda seed: samplers.TPESampler(seed=seed, group=True), nested, 45)),
        "brute_force": with_trials(seed + 5, searched(lambda seed: samplers.BruteForceSampler(seed=seed), countable, 100)),
        "prunings": prunings(),
        "importances": list(importances(seed)),
        "table": table(),
    }
    folder = out / "optuna"
    folder.mkdir(exist_ok=True)
    line = lambda subject, values: json.dumps([subject, text(values)], separators=(",", ":"), allow_nan=False)
    (folder / "further.jsonl").write_text("\n".join(line(*item) for item in subjects.items()) + "\n")
