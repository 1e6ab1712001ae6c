"""scikit-learn's scores of random predictions: metrics.json."""
import json

import numpy as np
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


def record(out, seed):
    rng = np.random.default_rng(seed)
    (out / "metrics.json").write_text(json.dumps([case(number, rng) for number in range(12)]))
