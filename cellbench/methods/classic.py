"""Trees on the features that svm-combined has by default: other classifiers, for scale."""

from dataclasses import dataclass
from functools import partial

from ..core.settings import number
from ..datasets.preprocessing import Preprocessing
from ..features.groups import values_of
from .combined import MIN_SIZE, feature_setting, settle_groups
from .estimators import FeatureClassifier
from .registry import methods


@dataclass(frozen=True)
class ForestSettings:
    """Extremely randomised trees, which need no scaling: Geurts, Ernst & Wehenkel, Machine Learning 63, 2006."""

    features: tuple[str, ...] | str = feature_setting()
    trees: int = number(300, "how many trees vote", least=1)

    def __post_init__(self) -> None:
        settle_groups(self)


@dataclass(frozen=True)
class BoostingSettings:
    """Gradient boosting of trees on binned features: Friedman, Annals of Statistics 29(5), 2001; Ke et al., 2017."""

    features: tuple[str, ...] | str = feature_setting()
    rounds: int = number(100, "boosting rounds (trees a class)", least=1)

    def __post_init__(self) -> None:
        settle_groups(self)


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
