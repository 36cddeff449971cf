"""Trees on the features that svm-combined has by default: other classifiers, for scale."""

from functools import partial
from typing import Annotated

from ..core.settings import Settings, setting
from ..datasets.preprocessing import Preprocessing
from ..features.groups import values_of
from .combined import DEFAULT_GROUPS, MIN_SIZE, Groups
from .estimators import FeatureClassifier
from .registry import methods


class ForestSettings(Settings):
    """Extremely randomised trees, which need no scaling: Geurts, Ernst & Wehenkel, Machine Learning 63, 2006."""

    features: Groups = DEFAULT_GROUPS
    trees: Annotated[int, setting("how many trees vote", ge=1)] = 300


class BoostingSettings(Settings):
    """Gradient boosting of trees on binned features: Friedman, Annals of Statistics 29(5), 2001; Ke et al., 2017."""

    features: Groups = DEFAULT_GROUPS
    rounds: Annotated[int, setting("boosting rounds (trees a class)", ge=1)] = 100


@methods.register(
    "forest",
    summary="extremely randomised trees on the features of svm-combined",
    family="classic",
    defaults=ForestSettings(),
    preprocessing=Preprocessing(size=None),
    min_size=MIN_SIZE,
    devices=("cpu",),
    cost=2.0,
)
def forest(settings: ForestSettings, seed: int, device: str) -> FeatureClassifier:
    import torch
    from sklearn.ensemble import ExtraTreesClassifier

    candidates = [
        (
            {"min_samples_leaf": leaf},
            ExtraTreesClassifier(
                settings.trees, min_samples_leaf=leaf, random_state=seed, n_jobs=torch.get_num_threads()
            ),
        )
        for leaf in (3, 1)
    ]
    return FeatureClassifier(partial(values_of, settings.features), candidates)


@methods.register(
    "boosting",
    summary="histogram gradient boosting on the features of svm-combined",
    family="classic",
    defaults=BoostingSettings(),
    preprocessing=Preprocessing(size=None),
    min_size=MIN_SIZE,
    devices=("cpu",),
    cost=15.0,
)
def boosting(settings: BoostingSettings, seed: int, device: str) -> FeatureClassifier:
    from sklearn.ensemble import HistGradientBoostingClassifier

    classifier = HistGradientBoostingClassifier(max_iter=settings.rounds, early_stopping=False, random_state=seed)
    return FeatureClassifier(partial(values_of, settings.features), [({"rounds": settings.rounds}, classifier)])
