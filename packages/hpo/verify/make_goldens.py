# Makes src/testing/optuna-goldens.jsonl (a line per subject): what Optuna 5.0 does in cases the recorded study does not reach.
# usage, with a Python that has optuna and scipy:  python verify/make_goldens.py > src/testing/optuna-goldens.jsonl
import binascii, json, math, warnings
import numpy as np, optuna, scipy.special
from optuna import TrialPruned, distributions as D, pruners, samplers
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

warnings.filterwarnings('ignore')
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
out = {'optuna': optuna.__version__, 'numpy': np.__version__}


def text(value):
    """JSON has no NaN: it goes as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {k: text(v) for k, v in value.items()}
    return [text(v) for v in value] if isinstance(value, (list, tuple)) else value


# Random numbers
out['random_state'] = []
for seed in (0, 1, 12345, 2**32 - 1):
    r = np.random.RandomState(seed)
    case = {'seed': seed, 'random': r.random_sample(4).tolist(), 'uniform': [r.uniform(-3, 5) for _ in range(3)]}
    items = list(range(20)); r.shuffle(items); case['shuffled'] = items
    case['chosen'] = [int(r.choice(list(range(n)))) for n in (1, 2, 3, 5, 100, 257)]
    case['choices'] = r.choice(4, p=[.1, .2, .3, .4], size=12).tolist()
    for _ in range(700): r.random_sample()
    case['after_700'] = r.random_sample()
    out['random_state'].append(case)

# Normal distribution
xs = [-300., -40., -21., -20., -6., -3., -1.5, -1., -.5, -1e-9, 0., 1e-9, .3, 1., 1.9, 2.9, 5., 6., 8., 20.]
out['log_ndtr'] = [[x, float(scipy.special.log_ndtr(x))] for x in xs]
out['erf'] = [[x, math.erf(x), math.erfc(x)] for x in (-5., -2., -1.999, -.3, 0., 1e-12, .1, .84, 1.25, 1.9999, 2., 2.0001, 3., 6., 20.)]
pairs = [(-1., 1.), (-8., -7.), (7., 8.), (-.001, .001), (0., 3.), (-3., 0.), (20., 21.), (-50., -49.), (-2., 30.), (1e-4, 2e-4)]
a, b = (np.array(v) for v in zip(*pairs))
out['log_gauss_mass'] = [[*p, float(v)] for p, v in zip(pairs, _truncnorm._log_gauss_mass(a, b))]
out['ppf'] = [[q, *p, float(_truncnorm.ppf(np.array([q]), p[0], p[1])[0])] for p in pairs for q in (0., 1e-9, .01, .5, .9, 1 - 1e-9)]

# Ties in numpy's sort
g = np.random.RandomState(7)
out['argsort'] = []
for n in (1, 2, 3, 7, 8, 9, 16, 17, 33, 64, 100, 255, 256):
    v = g.randint(0, max(2, n // 6), n).astype(float)
    out['argsort'].append([v.tolist(), np.argsort(v).tolist()])

# Uniform draws
space = {
    'float': D.FloatDistribution(-2, 7), 'log': D.FloatDistribution(1e-6, .1, log=True), 'step': D.FloatDistribution(0, 1, step=.15),
    'int': D.IntDistribution(-3, 12), 'int_step': D.IntDistribution(0, 20, step=7), 'int_log': D.IntDistribution(1, 1000, log=True),
    'categorical': D.CategoricalDistribution(['a', None, True, 2.5, 7]),
}
out['distributions'] = {k: D.distribution_to_json(d) for k, d in space.items()}
sampler = samplers.RandomSampler(seed=3)
out['uniform_draws'] = [[k, sampler.sample_independent(None, None, k, d)] for _ in range(6) for k, d in space.items()]
out['adjusted_high'] = [[lo, hi, st, D.FloatDistribution(lo, hi, step=st).high] for lo, hi, st in ((0, 1, .1), (0, 1, .3), (.1, .95, .2), (-1, 1, .7), (1e-3, 5e-3, 3e-4), (0, 5, 7))]

# Parzen estimators with other settings, and many observations
out['parzen'] = []
for prior, clip, endpoints, n in ((1., True, False, 0), (1., True, False, 1), (1., True, False, 2), (.5, False, False, 12), (2., True, True, 40), (1., True, False, 60)):
    g = np.random.RandomState(n)
    rs = samplers.RandomSampler(seed=n + 100)
    obs = {k: np.array([d.to_internal_repr(rs.sample_independent(None, None, k, d)) for _ in range(n)], dtype=float) for k, d in space.items()}
    pe = _ParzenEstimator(obs, space, _ParzenEstimatorParameters(prior, clip, endpoints, default_weights, True))
    c = pe.sample(np.random.RandomState(n + 1), 8)
    far = {k: np.array([d.to_internal_repr(rs.sample_independent(None, None, k, d)) for _ in range(8)], dtype=float) for k, d in space.items()}
    out['parzen'].append({'prior_weight': prior, 'magic_clip': clip, 'endpoints': endpoints, 'observations': {k: v.tolist() for k, v in obs.items()},
                          'seed': n + 1, 'sampled': {k: v.tolist() for k, v in c.items()}, 'log_pdf': pe.log_pdf(c).tolist(),
                          'points': {k: v.tolist() for k, v in far.items()}, 'points_log_pdf': pe.log_pdf(far).tolist()})

# Percentiles, checksums
vals = [[3., 1., 2.], [1., 2.], [5.], [math.nan, 4., 8., 1.], [math.nan], [.1, .7, .3, .9, .2, .5, .8], [1., math.inf], [-math.inf, 1., math.inf]]
out['percentiles'] = text([[v, q, float(np.nanpercentile(np.array(v), q))] for v in vals for q in (0, 10, 25, 50, 75, 100)])
out['crc32'] = [[s, binascii.crc32(s.encode())] for s in ('', 'a', 'study_12', 'Studie_ä_3')]


# Whole studies
def noise(number, step):
    return ((number * 7919 + step * 104729 + 13) % 1000) / 1000


def objective(trial, steps, with_nan):
    x = trial.suggest_float('x', 1e-3, 1, log=True)
    k = trial.suggest_int('k', 1, 9)
    c = trial.suggest_categorical('c', ['a', 'b', 'c'])
    y = trial.suggest_float('y', 0, 1, step=.1) if c == 'b' else .5
    n = trial.suggest_int('n', 1, 64, log=True)
    v = 0.
    for s in range(steps):
        v = (abs(math.log10(x) + 1.5) + .1 * k + .2 * y + .01 * n + .3 * noise(trial.number, s)) * (1 - .5 * s / steps)
        if with_nan and (trial.number + s) % 17 == 0: v = math.nan
        trial.report(v, s)
        if trial.should_prune(): raise TrialPruned()
    return math.nan if with_nan and trial.number % 11 == 5 else v


def rows(study):
    return [{'state': t.state.name, 'reports': len(t.intermediate_values), 'value': text(t.value), 'params': t.params} for t in study.trials]


def run(name, sampler, pruner, *, steps=9, nan=False, direction='minimize', trials=60):
    study = optuna.create_study(study_name=name, sampler=sampler, pruner=pruner, direction=direction)
    study.optimize(lambda t: objective(t, steps, nan), n_trials=trials)
    return {'name': name, 'steps': steps, 'nan': nan, 'direction': direction, 'trials': rows(study)}


out['studies'] = [
    run('tpe-multivariate', samplers.TPESampler(seed=1), pruners.NopPruner(), trials=45),
    run('tpe-independent', samplers.TPESampler(seed=2, multivariate=False), pruners.MedianPruner(), nan=True, trials=45),
    run('tpe-hyperband', samplers.TPESampler(seed=4), pruners.HyperbandPruner(max_resource=9), direction='maximize', trials=45),
    run('median', samplers.RandomSampler(seed=5), pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2, interval_steps=3), nan=True),
    run('percentile', samplers.RandomSampler(seed=6), pruners.PercentilePruner(25., n_min_trials=8), direction='maximize'),
    run('halving-auto', samplers.RandomSampler(seed=7), pruners.SuccessiveHalvingPruner(), nan=True),
    run('halving', samplers.RandomSampler(seed=8), pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2, min_early_stopping_rate=1), direction='maximize'),
    run('halving-bootstrap', samplers.RandomSampler(seed=9), pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=3, bootstrap_count=3)),
    run('hyperband', samplers.RandomSampler(seed=10), pruners.HyperbandPruner(min_resource=1, max_resource=27, reduction_factor=3), steps=27),
    run('hyperband-auto', samplers.RandomSampler(seed=11), pruners.HyperbandPruner(reduction_factor=2), steps=12, nan=True),
]

# Several workers by ask and tell, with the constant liar; a constraint; an enqueued trial; failures
study = optuna.create_study(study_name='asked', sampler=samplers.TPESampler(seed=12))
study.enqueue_trial({'x': .5, 'c': 'c'})
open_trials = []
for i in range(40):
    t = study.ask()
    x = t.suggest_float('x', 0, 1); c = t.suggest_categorical('c', ['a', 'b', 'c']); k = t.suggest_int('k', 0, 30, step=5)
    if i % 6 == 2: t.set_constraint('limit', x - .5)
    open_trials.append((t, (x - .3) ** 2 + {'a': .1, 'b': 0., 'c': .2}[c] + abs(k - 15) / 100))
    if len(open_trials) == 4:
        t, v = open_trials.pop(i * 7 % 4)
        if i % 9 == 4: study.tell(t, state=optuna.trial.TrialState.FAIL)
        else: study.tell(t, v)
out['asked'] = {'trials': rows(study), 'best': study.best_trial.number}

# Names that JavaScript would move before others
study = optuna.create_study(sampler=samplers.TPESampler(seed=14, n_startup_trials=4))
study.optimize(lambda t: t.suggest_float('10', 0, 1) + t.suggest_categorical('b', [1, 2, 3]) * t.suggest_int('2', 1, 9) - t.suggest_float('1', 1, 5), n_trials=16)
out['index_names'] = {'trials': rows(study), 'names': [list(t.params) for t in study.trials]}

# Grid
study = optuna.create_study(sampler=samplers.GridSampler({'b': [4, 8, 16], 'a': [.1, .2], 'z': ['u', 'v']}, seed=13))
study.optimize(lambda t: t.suggest_categorical('b', [4, 8, 16]) + t.suggest_float('a', 0, 1) + len(t.suggest_categorical('z', ['u', 'v'])))
out['grid'] = [t.params for t in study.trials]

for subject, values in out.items():
    print(json.dumps([subject, values], separators=(',', ':'), allow_nan=False))
