"""Writes, continues and dumps studies with whatever Optuna is installed: optuna_study.py write|go-on|dump URL NAME"""
import json
import sys
import warnings

warnings.filterwarnings("ignore")
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
action, url, name = sys.argv[1:4]


def objective(trial):
    x = trial.suggest_float("x", 1e-4, 1, log=True)
    y = trial.suggest_float("y", 0, 1, step=0.1)
    k = trial.suggest_int("k", 1, 9, step=2)
    c = trial.suggest_categorical("c", ["a", None, 2.5, True])
    trial.set_user_attr("note", {"list": [1, 2.5, "ä"], "nan": float("nan")})
    for step in range(3):
        trial.report(float("inf") if trial.number == 2 and step == 1 else x * step, step)
    if trial.number == 4:
        raise optuna.TrialPruned()
    if trial.number == 5:
        raise RuntimeError("boom")
    return float("-inf") if trial.number == 6 else x + y + k + (0 if c is None else 1)


def written():
    study = optuna.create_study(study_name=name, storage=url, direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    study.set_user_attr("by", "python")
    study.enqueue_trial({"x": 0.5, "y": 0.3})
    study.optimize(objective, n_trials=9, catch=(RuntimeError,))
    study.enqueue_trial({"k": 3})


def plain(value):
    if isinstance(value, float):
        return repr(value) if value != value or value in (float("inf"), float("-inf")) else value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def moment(time):
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def dumped():
    study = optuna.load_study(study_name=name, storage=url)
    trials = [
        {
            "number": trial.number,
            "state": trial.state.name,
            "values": trial.values,
            "params": trial.params,
            "distributions": {key: optuna.distributions.distribution_to_json(it) for key, it in trial.distributions.items()},
            "reports": sorted([step, value] for step, value in trial.intermediate_values.items()),
            "user_attrs": trial.user_attrs,
            "system_attrs": trial.system_attrs,
        }
        for trial in study.trials
    ]
    directions = [direction.name.lower() for direction in study.directions]
    return {"directions": directions, "user_attrs": study.user_attrs, "trials": trials}


if action == "write":
    written()
elif action == "go-on":
    study = optuna.load_study(study_name=name, storage=url, sampler=optuna.samplers.TPESampler(seed=2, n_startup_trials=3))
    study.optimize(objective, n_trials=int(sys.argv[4]))
print(json.dumps({"version": optuna.__version__, "study": plain(dumped())}, allow_nan=False))
