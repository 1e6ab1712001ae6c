"""What Optuna, numpy and scipy do in cases that the recorded study does not reach: optuna/cases.jsonl, a line a subject."""
import binascii
import json
import math

import numpy as np
import optuna
import scipy.special
from optuna import TrialPruned, distributions as D, pruners, samplers
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

from ties import first_without

SPACE = {
    "float": D.FloatDistribution(-2, 7),
    "log": D.FloatDistribution(1e-6, 0.1, log=True),
    "step": D.FloatDistribution(0, 1, step=0.15),
    "int": D.IntDistribution(-3, 12),
    "int_step": D.IntDistribution(0, 20, step=7),
    "int_log": D.IntDistribution(1, 1000, log=True),
    "categorical": D.CategoricalDistribution(["a", None, True, 2.5, 7]),
}


def text(value):
    """JSON has no NaN: it goes as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {key: text(item) for key, item in value.items()}
    return [text(item) for item in value] if isinstance(value, (list, tuple)) else value


def random_states(seed):
    for start in (0, 2**32 - 1, seed + 1, seed + 12345):
        random = np.random.RandomState(start)
        case = {"seed": start, "random": random.random_sample(4).tolist(), "uniform": [random.uniform(-3, 5) for _ in range(3)]}
        items = list(range(20))
        random.shuffle(items)
        case["shuffled"] = items
        case["chosen"] = [int(random.choice(list(range(n)))) for n in (1, 2, 3, 5, 100, 257)]
        case["choices"] = random.choice(4, p=[0.1, 0.2, 0.3, 0.4], size=12).tolist()
        for _ in range(700):
            random.random_sample()
        case["after_700"] = random.random_sample()
        yield case


def normal_distribution():
    points = [-300.0, -40.0, -21.0, -20.0, -6.0, -3.0, -1.5, -1.0, -0.5, -1e-9, 0.0, 1e-9, 0.3, 1.0, 1.9, 2.9, 5.0, 6.0, 8.0, 20.0]
    erf_points = (-5.0, -2.0, -1.999, -0.3, 0.0, 1e-12, 0.1, 0.84, 1.25, 1.9999, 2.0, 2.0001, 3.0, 6.0, 20.0)
    pairs = [(-1.0, 1.0), (-8.0, -7.0), (7.0, 8.0), (-0.001, 0.001), (0.0, 3.0), (-3.0, 0.0), (20.0, 21.0), (-50.0, -49.0), (-2.0, 30.0), (1e-4, 2e-4)]
    a, b = (np.array(side) for side in zip(*pairs))
    quantile = lambda q, pair: float(_truncnorm.ppf(np.array([q]), *pair)[0])
    return {
        "log_ndtr": [[x, float(scipy.special.log_ndtr(x))] for x in points],
        "erf": [[x, math.erf(x), math.erfc(x)] for x in erf_points],
        "log_gauss_mass": [[*pair, float(mass)] for pair, mass in zip(pairs, _truncnorm._log_gauss_mass(a, b))],
        "ppf": [[q, *pair, quantile(q, pair)] for pair in pairs for q in (0.0, 1e-9, 0.01, 0.5, 0.9, 1 - 1e-9)],
    }


def orders(seed):
    """Ties in numpy's sort."""
    random = np.random.RandomState(seed + 7)
    for n in (1, 2, 3, 7, 8, 9, 16, 17, 33, 64, 100, 255, 256):
        values = random.randint(0, max(2, n // 6), n).astype(float)
        yield [values.tolist(), np.argsort(values).tolist()]


def uniform_draws(seed):
    sampler = samplers.RandomSampler(seed=seed + 3)
    draws = [[name, sampler.sample_independent(None, None, name, distribution)] for _ in range(6) for name, distribution in SPACE.items()]
    return {"seed": seed + 3, "draws": draws}


def parzen_estimators(seed):
    """With other settings than the study's, and many observations."""
    settings = ((1.0, True, False, 0), (1.0, True, False, 1), (1.0, True, False, 2), (0.5, False, False, 12), (2.0, True, True, 40), (1.0, True, False, 60))
    for prior_weight, magic_clip, endpoints, count in settings:
        sampler = samplers.RandomSampler(seed=seed + count + 100)
        draw = lambda n: {
            name: np.array([d.to_internal_repr(sampler.sample_independent(None, None, name, d)) for _ in range(n)], dtype=float)
            for name, d in SPACE.items()
        }
        observations = draw(count)
        estimator = _ParzenEstimator(observations, SPACE, _ParzenEstimatorParameters(prior_weight, magic_clip, endpoints, default_weights, True))
        start = seed + count + 1
        sampled = estimator.sample(np.random.RandomState(start), 8)
        points = draw(8)
        lists = lambda columns: {name: values.tolist() for name, values in columns.items()}
        yield {
            "prior_weight": prior_weight, "magic_clip": magic_clip, "endpoints": endpoints, "observations": lists(observations),
            "seed": start, "sampled": lists(sampled), "log_pdf": estimator.log_pdf(sampled).tolist(),
            "points": lists(points), "points_log_pdf": estimator.log_pdf(points).tolist(),
        }


def percentiles():
    lists = [
        [3.0, 1.0, 2.0], [1.0, 2.0], [5.0], [math.nan, 4.0, 8.0, 1.0], [math.nan], [0.1, 0.7, 0.3, 0.9, 0.2, 0.5, 0.8],
        [1.0, math.inf], [-math.inf, 1.0, math.inf],
    ]
    return [[values, q, float(np.nanpercentile(np.array(values), q))] for values in lists for q in (0, 10, 25, 50, 75, 100)]


def noise(number, step):
    return ((number * 7919 + step * 104729 + 13) % 1000) / 1000


def objective(trial, steps, with_nan):
    """packages/hpo/src/study/optuna-studies.test.ts has the same."""
    x = trial.suggest_float("x", 1e-3, 1, log=True)
    k = trial.suggest_int("k", 1, 9)
    c = trial.suggest_categorical("c", ["a", "b", "c"])
    y = trial.suggest_float("y", 0, 1, step=0.1) if c == "b" else 0.5
    n = trial.suggest_int("n", 1, 64, log=True)
    value = 0.0
    for step in range(steps):
        value = (abs(math.log10(x) + 1.5) + 0.1 * k + 0.2 * y + 0.01 * n + 0.3 * noise(trial.number, step)) * (1 - 0.5 * step / steps)
        if with_nan and (trial.number + step) % 17 == 0:
            value = math.nan
        trial.report(value, step)
        if trial.should_prune():
            raise TrialPruned()
    return math.nan if with_nan and trial.number % 11 == 5 else value


def of_trials(study):
    return [
        {"state": trial.state.name, "reports": len(trial.intermediate_values), "value": trial.value, "params": trial.params}
        for trial in study.trials
    ]


def studies(seed):
    tpe, uniform = samplers.TPESampler, samplers.RandomSampler

    def run(name, sampler, start, pruner, *, steps=9, nan=False, direction="minimize", trials=60):
        def search(seed):
            study = optuna.create_study(study_name=name, sampler=sampler(seed=seed), pruner=pruner, direction=direction)
            study.optimize(lambda trial: objective(trial, steps, nan), n_trials=trials)
            return of_trials(study)

        first, searched = first_without(seed + start, search)
        return {"name": name, "seed": first, "steps": steps, "nan": nan, "direction": direction, "trials": searched}

    independent = lambda seed: tpe(seed=seed, multivariate=False)
    yield run("tpe-multivariate", tpe, 1, pruners.NopPruner(), trials=45)
    yield run("tpe-independent", independent, 2, pruners.MedianPruner(), nan=True, trials=45)
    yield run("tpe-hyperband", tpe, 4, pruners.HyperbandPruner(max_resource=9), direction="maximize", trials=45)
    yield run("median", uniform, 5, pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2, interval_steps=3), nan=True)
    yield run("percentile", uniform, 6, pruners.PercentilePruner(25.0, n_min_trials=8), direction="maximize")
    yield run("halving-auto", uniform, 7, pruners.SuccessiveHalvingPruner(), nan=True)
    halving = pruners.SuccessiveHalvingPruner
    yield run("halving", uniform, 8, halving(min_resource=1, reduction_factor=2, min_early_stopping_rate=1), direction="maximize")
    yield run("halving-bootstrap", uniform, 9, halving(min_resource=2, reduction_factor=3, bootstrap_count=3))
    yield run("hyperband", uniform, 10, pruners.HyperbandPruner(min_resource=1, max_resource=27, reduction_factor=3), steps=27)
    yield run("hyperband-auto", uniform, 11, pruners.HyperbandPruner(reduction_factor=2), steps=12, nan=True)


def ask_and_tell(seed):
    """Several workers by ask and tell, with the constant liar; a constraint; an enqueued trial; failures."""
    study = optuna.create_study(study_name="asked", sampler=samplers.TPESampler(seed=seed))
    study.enqueue_trial({"x": 0.5, "c": "c"})
    open_trials = []
    for i in range(40):
        trial = study.ask()
        x, c, k = trial.suggest_float("x", 0, 1), trial.suggest_categorical("c", ["a", "b", "c"]), trial.suggest_int("k", 0, 30, step=5)
        if i % 6 == 2:
            trial.set_constraint("limit", x - 0.5)
        open_trials.append((trial, (x - 0.3) ** 2 + {"a": 0.1, "b": 0.0, "c": 0.2}[c] + abs(k - 15) / 100))
        if len(open_trials) == 4:
            trial, value = open_trials.pop(i * 7 % 4)
            if i % 9 == 4:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, value)
    return {"trials": of_trials(study), "best": study.best_trial.number}


def asked(seed):
    first, searched = first_without(seed + 12, ask_and_tell)
    return {"seed": first, **searched}


def index_names(seed):
    """Names that JavaScript would move before others."""

    def objective(trial):
        x, b, k = trial.suggest_float("10", 0, 1), trial.suggest_categorical("b", [1, 2, 3]), trial.suggest_int("2", 1, 9)
        return x + b * k - trial.suggest_float("1", 1, 5)

    def search(seed):
        study = optuna.create_study(sampler=samplers.TPESampler(seed=seed, n_startup_trials=4))
        study.optimize(objective, n_trials=16)
        return {"trials": of_trials(study), "names": [list(trial.params) for trial in study.trials]}

    first, searched = first_without(seed + 14, search)
    return {"seed": first, **searched}


def grid(seed):
    study = optuna.create_study(sampler=samplers.GridSampler({"b": [4, 8, 16], "a": [0.1, 0.2], "z": ["u", "v"]}, seed=seed + 13))
    suggest = lambda trial: trial.suggest_categorical("b", [4, 8, 16]) + trial.suggest_float("a", 0, 1) + len(trial.suggest_categorical("z", ["u", "v"]))
    study.optimize(suggest)
    return {"seed": seed + 13, "params": [trial.params for trial in study.trials]}


def record(out, seed):
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    bounds = ((0, 1, 0.1), (0, 1, 0.3), (0.1, 0.95, 0.2), (-1, 1, 0.7), (1e-3, 5e-3, 3e-4), (0, 5, 7))
    subjects = {
        "random_state": list(random_states(seed)),
        **normal_distribution(),
        "argsort": list(orders(seed)),
        "distributions": {name: D.distribution_to_json(distribution) for name, distribution in SPACE.items()},
        "uniform_draws": uniform_draws(seed),
        "adjusted_high": [[low, high, step, D.FloatDistribution(low, high, step=step).high] for low, high, step in bounds],
        "parzen": list(parzen_estimators(seed)),
        "percentiles": percentiles(),
        "crc32": [[word, binascii.crc32(word.encode())] for word in ("", "a", "study_12", "Studie_ä_3")],
        "studies": list(studies(seed)),
        "asked": asked(seed),
        "index_names": index_names(seed),
        "grid": grid(seed),
    }
    folder = out / "optuna"
    folder.mkdir(exist_ok=True)
    line = lambda subject, values: json.dumps([subject, text(values)], separators=(",", ":"), allow_nan=False)
    (folder / "cases.jsonl").write_text("\n".join(line(*item) for item in subjects.items()) + "\n")
