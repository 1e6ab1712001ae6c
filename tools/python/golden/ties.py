"""Finds searches whose outcome hangs on the last bit of a logarithm.

TPE takes the candidate with the largest log l - log g. Two values of a categorical or stepped parameter can have the
same in exact arithmetic; which one is taken then depends on the platform, with numpy as with JavaScript. Such a search
is no golden value: the next seed is taken.
"""
import contextlib

import numpy as np
from optuna.samplers import TPESampler

compare = TPESampler._compare
NEARLY = 1e-9


@contextlib.contextmanager
def watched():
    """A list that gets an entry for each choice between different candidates that are as good as each other."""
    ties = []

    def noting(cls, samples, values):
        best = np.argmax(values)
        near = np.abs(values - values[best]) < NEARLY
        if any(np.any(np.abs(column[near] - column[best]) > NEARLY) for column in samples.values()):
            ties.append(best)
        return compare(samples, values)

    TPESampler._compare = classmethod(noting)
    try:
        yield ties
    finally:
        TPESampler._compare = compare


def first_without(seed, search):
    """The first of seed, seed + 1000, ... whose search(seed) comes by no tie, and what it gave."""
    while True:
        with watched() as ties:
            found = search(seed)
        if not ties:
            return seed, found
        seed += 1000
