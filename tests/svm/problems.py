"""Random problems for support vector machines, of every awkward kind, and LIBSVM's answer to them."""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics.pairwise import pairwise_kernels

KINDS = ("moons", "blobs", "line", "twins", "noise", "wide", "crowd")


@dataclass
class Problem:
    X: np.ndarray
    y: np.ndarray
    settings: dict = field(default_factory=dict)

    @property
    def near(self):
        """Points like those of X, but not the same."""
        return self.X + 0.1 * self.X.std(0) * np.random.default_rng(1).normal(size=self.X.shape)


def draw(seed: int) -> Problem:
    """A problem of 20 to 300 samples, 2 to 9 classes and settings from all over their ranges."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([20, 60, 150, 300]))
    X, y = _samples(KINDS[seed % len(KINDS)], n, rng, seed)
    if rng.random() < 0.3:  # of the first class only every tenth is left
        kept = (y != y[0]) | (rng.random(len(y)) < 0.1)
        kept[:2] = True
        X, y = X[kept], y[kept]
    kernel = str(rng.choice(["rbf", "rbf", "linear", "poly"]))
    gamma = [0.01, 1.0, "scale", "scale"][int(rng.integers(4))]
    C = float(10.0 ** rng.integers(-3, 5))
    if kernel == "linear":
        C = min(C, 10.0)  # above that LIBSVM itself takes minutes
    if kernel == "poly":
        C, gamma = min(C, 10.0), "scale"
    settings = {"C": C, "kernel": kernel, "gamma": gamma, "coef0": float(rng.integers(2))}
    if rng.random() < 0.3:
        settings["class_weight"] = "balanced"
    return Problem(X, y, settings)


def _samples(kind, n, rng, seed):
    if kind == "moons":
        return make_moons(n, noise=float(rng.choice([0.05, 0.3])), random_state=seed)
    if kind == "blobs":
        return make_blobs(n, centers=int(rng.choice([2, 3, 6])), n_features=2, cluster_std=3, random_state=seed)
    if kind == "line":
        return make_blobs(n, centers=3, n_features=1, cluster_std=1, random_state=seed)
    if kind == "twins":  # every point twice, a third of them with two labels
        X, y = make_blobs(n // 2, centers=3, n_features=4, cluster_std=4, random_state=seed)
        return np.concatenate([X, X]), np.concatenate([y, (y + rng.integers(0, 2, len(y))) % 3])
    y = rng.integers(0, {"noise": 4, "wide": 5, "crowd": 9}[kind], n)
    y[:9] = np.arange(9) % (y.max() + 1)
    width = {"noise": 10, "wide": 300, "crowd": 6}[kind]
    return rng.normal(size=(n, width)) + (0.1 if kind == "wide" else 0) * y[:, None], y


def dual_objectives(model, X):
    """sum(alpha) - 1/2 alpha' Q alpha of every pair of a fitted scikit-learn SVC, from its coefficients alone."""
    settings = {"rbf": ("gamma",), "poly": ("gamma", "degree", "coef0"), "linear": ()}[model.kernel]
    values = {"gamma": model._gamma, "degree": model.degree, "coef0": model.coef0}
    vectors = X[model.support_]
    K = pairwise_kernels(vectors, metric=model.kernel, **{name: values[name] for name in settings})
    code = np.repeat(np.arange(len(model.classes_)), model.n_support_)
    objectives = []
    for i, j in combinations(range(len(model.classes_)), 2):
        beta = np.zeros(len(vectors))
        beta[code == i] = model.dual_coef_[j - 1, code == i]
        beta[code == j] = model.dual_coef_[i, code == j]
        objectives.append(np.abs(beta).sum() - beta @ K @ beta / 2)
    return np.array(objectives)
