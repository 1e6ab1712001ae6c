"""CPU seconds of TPE's ask and tell in a fresh process: hpo_study.py optuna|rustuna TRIALS"""
import importlib
import importlib.metadata
import json
import sys
import time

library = importlib.import_module(sys.argv[1])
trials = int(sys.argv[2])
if sys.argv[1] == "optuna":
    library.logging.set_verbosity(library.logging.ERROR)
study = library.create_study(sampler=library.samplers.TPESampler(seed=0))
begin = time.process_time()
for _ in range(trials):
    trial = study.ask()
    study.tell(trial.number, sum(trial.suggest_float(f"x{k}", -5, 5) ** 2 for k in range(10)))
seconds = time.process_time() - begin
print(json.dumps({"seconds": seconds, "best": min(trial.value if sys.argv[1] == "optuna" else trial.values[0] for trial in study.trials), "version": importlib.metadata.version(sys.argv[1])}))
