"""Holds the journals of @qlora-js/hpo against Optuna itself, both ways and both at once.

usage: python tools/verify/python/check_study.py      with optuna installed
"""
import json, math, os, subprocess, sys, tempfile, warnings
import optuna
from optuna import distributions as D
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

warnings.filterwarnings('ignore')
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '../../..')
WORKER = os.path.join(ROOT, 'packages/hpo/src/testing/worker.ts')


def node(script, *args, wait=True):
    command = ['node', '--conditions=@qlora-js/source', '--import', 'tsx', os.path.join(HERE, script), *args]
    if not wait: return subprocess.Popen(command, cwd=ROOT)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


def milliseconds(time):
    return None if time is None else math.floor(time.timestamp() * 1000 + 1e-3)


def as_python_sees(journal):
    (summary,) = optuna.get_all_study_summaries(JournalStorage(JournalFileBackend(journal)))
    study = optuna.load_study(study_name=summary.study_name, storage=JournalStorage(JournalFileBackend(journal)))
    return {
        'name': study.study_name, 'direction': study.direction.name.lower(), 'user_attrs': study.user_attrs, 'best': study.best_trial.number,
        'trials': [{'number': t.number, 'state': t.state.name, 'value': t.value, 'params': t.params, 'distributions': t.distributions,
                    'intermediate': {str(k): v for k, v in t.intermediate_values.items()}, 'user_attrs': t.user_attrs, 'system_attrs': t.system_attrs,
                    'start': milliseconds(t.datetime_start), 'complete': milliseconds(t.datetime_complete)} for t in study.trials],
    }


def as_node_sees(journal):
    study = json.loads(node('dump-study.ts', journal))
    for trial in study['trials']:
        trial['distributions'] = {k: D.json_to_distribution(v) for k, v in trial['distributions'].items()}
    return study


def same(a, b):
    if isinstance(a, dict): return isinstance(b, dict) and a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, (list, tuple)): return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a): return math.isnan(b)
    return a == b and isinstance(a, bool) == isinstance(b, bool)


checked = []


def check(what, journal):
    theirs, ours = as_python_sees(journal), as_node_sees(journal)
    for a, b in zip(theirs['trials'], ours['trials']):
        if not same(a, b): sys.exit(f'{what}: trial {a["number"]} differs:\n{a}\n{b}')
    if not same(theirs, ours): sys.exit(f'{what}: the studies differ')
    checked.append(what)
    print(f'{what}: {len(ours["trials"])} trials read alike ({", ".join(sorted({t["state"] for t in ours["trials"]}))})')
    return theirs


def python_objective(trial):
    x = trial.suggest_float('learning_rate', 1e-5, 5e-4, log=True)
    trial.suggest_int('warmup_steps', 100, 500, step=50)
    kind = trial.suggest_categorical('kind', ['a', None, True, 2.5, 7, '☕'])
    trial.report(math.nan if trial.number % 2 else x, 0)
    trial.set_user_attr('kind', kind)
    if trial.number % 5 == 0: raise optuna.TrialPruned()
    return x


with tempfile.TemporaryDirectory() as folder:
    journal = os.path.join(folder, 'study.log')
    node('write-study.ts', journal)
    written = check('written here', journal)

    # Optuna goes on with the study, with the queue and the running trial it finds.
    study = optuna.load_study(study_name=written['name'], storage=JournalStorage(JournalFileBackend(journal)), sampler=optuna.samplers.TPESampler(seed=1))
    study.optimize(python_objective, n_trials=10)
    check('continued by Optuna', journal)

    # Cut in the middle of a record, as by kill -9, and continued here.
    size = os.path.getsize(journal)
    os.truncate(journal, size - 20)
    node(WORKER, journal, '3')
    check('cut and continued here', journal)

    # Two workers of each kind at once.
    journal = os.path.join(folder, 'together.log')
    optuna.create_study(study_name='together', storage=JournalStorage(JournalFileBackend(journal)))
    code = ("import optuna,sys;optuna.logging.set_verbosity(50);from optuna.storages.journal import JournalFileBackend as B;"
            "s=optuna.load_study(study_name='together',storage=optuna.storages.JournalStorage(B(sys.argv[1])));"
            "s.optimize(lambda t:(t.set_user_attr('pid','python'),t.suggest_float('x',0,1))[1],n_trials=25)")
    workers = [subprocess.Popen([sys.executable, '-c', code, journal]) for _ in range(2)]
    workers += [node(WORKER, journal, '25', wait=False) for _ in range(2)]
    if any(worker.wait() for worker in workers): sys.exit('a worker failed')
    together = check('four workers at once', journal)
    if [t['state'] for t in together['trials']] != ['COMPLETE'] * 100: sys.exit('not all 100 trials are complete')
    if os.listdir(folder).__len__() != 2: sys.exit(f'something was left behind: {os.listdir(folder)}')
print(f'{len(checked)} passed, 0 failed')
