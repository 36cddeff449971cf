"""Rules that every method, or every data set, has to keep: each is a function whose docstring is the rule."""

from collections.abc import Callable, Iterable, Iterator

Rule = Callable[..., None]


def require(condition: bool, problem: str) -> None:
    """Raise AssertionError with the text `problem` if the condition does not hold."""
    if not condition:
        raise AssertionError(problem)


def broken(rules: Iterable[Rule], *arguments: object) -> Iterator[tuple[str, str]]:
    """Call each rule with the arguments, and yield its text and what is wrong ('' if the rule is kept)."""
    for rule in rules:
        try:
            rule(*arguments)
            problem = ""
        except AssertionError as error:
            problem = str(error)
        except Exception as error:  # whatever a stranger's code raises is a finding
            problem = raised(error)
        yield (rule.__doc__ or rule.__name__).strip(), problem


def raised(error: Exception) -> str:
    return f"it raised {type(error).__name__}: {error}"
