"""Trees on the features that svm-combined has by default: other classifiers, for scale."""

from functools import partial
from typing import Annotated

from ..core.data import Samples
from ..core.records.runs import RunLog
from ..core.settings import between, setting
from ..datasets.preprocessing import Preprocessing
from ..features.groups import DEFAULT_GROUPS, values_of
from .decorator import Score, method
from .estimators import best_classifier
from .svms.combined import MIN_SIZE, Groups


@method(
    "forest",
    "extremely randomised trees on the features of svm-combined",
    family="classic",
    backend="scikit-learn",
    preprocessing=Preprocessing(size=None),
    min_size=MIN_SIZE,
    devices=("cpu",),
    cost=2.0,
)
def forest(
    train: Samples,
    val: Samples,
    log: RunLog,
    *,
    features: Groups = DEFAULT_GROUPS,
    trees: Annotated[int, setting("how many trees vote", ge=1, search=between(100, 1000, log=True))] = 300,
    seed: int,
) -> Score:
    """Extremely randomised trees, which need no scaling: Geurts, Ernst & Wehenkel, Machine Learning 63, 2006."""
    import torch
    from sklearn.ensemble import ExtraTreesClassifier

    candidates = [
        (
            {"min_samples_leaf": leaf},
            ExtraTreesClassifier(trees, min_samples_leaf=leaf, random_state=seed, n_jobs=torch.get_num_threads()),
        )
        for leaf in (3, 1)
    ]
    return best_classifier(partial(values_of, features), candidates, train, val, log)


@method(
    "boosting",
    "histogram gradient boosting on the features of svm-combined",
    family="classic",
    backend="scikit-learn",
    preprocessing=Preprocessing(size=None),
    min_size=MIN_SIZE,
    devices=("cpu",),
    cost=15.0,
)
def boosting(
    train: Samples,
    val: Samples,
    log: RunLog,
    *,
    features: Groups = DEFAULT_GROUPS,
    rounds: Annotated[int, setting("boosting rounds (trees a class)", ge=1, search=between(30, 300, log=True))] = 100,
    seed: int,
) -> Score:
    """Gradient boosting of trees on binned features: Friedman, Annals of Statistics 29(5), 2001; Ke et al., 2017."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    classifier = HistGradientBoostingClassifier(max_iter=rounds, early_stopping=False, random_state=seed)
    return best_classifier(partial(values_of, features), [({"rounds": rounds}, classifier)], train, val, log)
