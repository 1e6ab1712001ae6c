"""scikit-learn's scores of random predictions: metrics.json; of several labels a row and of numbers: metrics-tasks.json."""
import json
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics


def case(number, rng):
    rows, classes = int(rng.integers(1, 200)), int(rng.integers(2, 78))
    labels = rng.integers(0, classes, rows)
    logits = rng.standard_normal((rows, classes)) * 2
    if number % 3:
        logits[np.arange(rows), labels] += 2
    if number == 5:
        labels[:] = 1
    predictions = logits.argmax(1)
    recorded = {
        "labels": labels.tolist(),
        "predictions": predictions.tolist(),
        "accuracy": metrics.accuracy_score(labels, predictions),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predictions),
        "mcc": metrics.matthews_corrcoef(labels, predictions),
    }
    for average in ("macro", "micro", "weighted"):
        scores = metrics.precision_recall_fscore_support(labels, predictions, average=average, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), scores):
            recorded[f"{name}_{average}"] = float(value)
    small = rows < 40
    recorded["confusion"] = metrics.confusion_matrix(labels, predictions, labels=list(range(classes))).tolist() if small else None
    return recorded


def several_labels(number, rng):
    rows, labels = int(rng.integers(1, 60)), int(rng.integers(1, 12))
    truth = (rng.random((rows, labels)) < 0.3).astype(int)
    logits = np.round(rng.standard_normal((rows, labels)) + truth, 3)
    if number == 1:
        truth[:, 0] = 0
    predictions = (logits > 0).astype(int)
    recorded = {
        "truth": truth.tolist(),
        "logits": logits.tolist(),
        "accuracy": metrics.accuracy_score(truth, predictions),
        "hamming_loss": metrics.hamming_loss(truth, predictions),
    }
    for average in ("macro", "micro", "weighted", "samples"):
        if labels == 1 and average == "samples":
            continue
        several = labels if labels > 1 else [1]
        for name in ("precision", "recall", "f1"):
            score = getattr(metrics, f"{name}_score")
            given = (truth, predictions) if labels > 1 else (truth.ravel(), predictions.ravel())
            options = dict(average=average) if labels > 1 else dict(average="micro", labels=several)
            recorded[f"{name}_{average}"] = float(score(*given, zero_division=0, **options))
    return recorded


def numbers(number, rng):
    rows = int(rng.integers(2, 80))
    truth = np.round(rng.normal(3, 2, rows), 1 if number % 2 else 6)
    predictions = np.round(truth * rng.uniform(-0.5, 2) + rng.normal(0, 1, rows), 1 if number % 2 else 6)
    if number == 4:
        predictions[:] = 2.5
    return {
        "truth": truth.tolist(),
        "predictions": predictions.tolist(),
        "mse": metrics.mean_squared_error(truth, predictions),
        "rmse": metrics.root_mean_squared_error(truth, predictions),
        "mae": metrics.mean_absolute_error(truth, predictions),
        "r2": metrics.r2_score(truth, predictions),
        # None where one side is constant: the correlation is not defined.
        "pearson": None if number == 4 else float(stats.pearsonr(truth, predictions)[0]),
        "spearman": None if number == 4 else float(stats.spearmanr(truth, predictions)[0]),
    }


def record(out, seed):
    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(seed)
    (out / "metrics.json").write_text(json.dumps([case(number, rng) for number in range(12)]))
    tasks = {
        "severalLabels": [several_labels(number, rng) for number in range(6)],
        "numbers": [numbers(number, rng) for number in range(6)],
    }
    (out / "metrics-tasks.json").write_text(json.dumps(tasks) + "\n")
