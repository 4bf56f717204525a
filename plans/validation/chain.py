"""The validation chain: any number of validators, each working alone (S1.2).

A validator is a callable that takes a `Subject` and yields `Issue`s. `register` adds one; another
package adds one through the entry point `bluegreen.validators`.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import entry_points

from plans.validation.subject import Subject
from plans.validation.summary import Issue, Summary

Validator = Callable[[Subject], Iterable[Issue]]

_validators: list[Validator] = []


def register(validator: Validator) -> Validator:
    """Append `validator` to the chain; also usable as a decorator."""
    if validator not in _validators:
        _validators.append(validator)
    return validator


def unregister(validator: Validator) -> None:
    """Take `validator` out of the chain."""
    _validators.remove(validator)


def load_entry_points() -> None:
    """Register what installed packages offer."""
    for entry in entry_points(group="bluegreen.validators"):
        register(entry.load())


def validate(subject: Subject) -> Summary:
    """Run every validator; the summary holds what all of them found."""
    return Summary(issue for validator in _validators for issue in validator(subject))
