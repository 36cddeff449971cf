"""What fitted machines of all backends have in common: the interface of scikit-learn's SVC."""

from typing import TYPE_CHECKING, Protocol, TypeAlias

from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from sklearn.multiclass import OneVsRestClassifier


class HasDecisionFunction(Protocol):
    """A classifier that scores samples."""

    def decision_function(self, X: ArrayLike, /) -> NDArray: ...


class Machine(HasDecisionFunction, Protocol):
    """A machine of any backend. What ends in an underscore, and the number that gamma stands for, it has once fitted.

    Rows of support vectors, and columns of coefficients, are sorted by class.
    """

    kernel: str
    degree: int
    coef0: float
    _gamma: float
    classes_: NDArray
    support_: NDArray
    n_support_: NDArray
    dual_coef_: NDArray
    intercept_: NDArray

    @property
    def support_vectors_(self) -> NDArray: ...

    def fit(self, X: ArrayLike, y: ArrayLike, /) -> object: ...


AnyMachine: TypeAlias = "Machine | OneVsRestClassifier"  # the second where samples may have several labels
