"""The tree of errors is the one drawn at the top of errors.py; adapters are found by name."""

from __future__ import annotations

import inspect
import re

import pytest

from nbml import errors, registry


def test_the_drawing_names_every_error_and_no_other() -> None:
    drawn = set(re.findall(r"(?<!=)\b[A-Z]\w+", errors.__doc__.partition("::")[2].partition("A message says")[0]))
    real = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, errors.NbmlError)}
    assert drawn == real


def test_a_message_ends_with_the_line_to_type() -> None:
    assert str(errors.NbmlError("what went wrong", next="%nbml data")) == "what went wrong\nTry: %nbml data"
    assert str(errors.NbmlError("what went wrong")) == "what went wrong"


def test_nearest() -> None:
    assert errors.nearest("validat", ["validate", "data"]) == "validate"
    assert errors.nearest("Age", ["age", "plan"]) == "age"
    assert errors.nearest("zzz", ["validate"]) is None


def test_an_unknown_adapter_proposes_the_nearest() -> None:
    with pytest.raises(errors.UnknownAdapter) as caught:
        registry.adapter("nbml.samplers", "optuno")
    assert str(caught.value) == "no sampler 'optuno'; nearest: optuna\nTry: %nbml tune --help"
    with pytest.raises(errors.UnknownAdapter) as caught:
        registry.adapter("nbml.trackers", "aim")
    assert str(caught.value) == "no tracker 'aim'; known: comet, mlflow, wandb\nTry: %nbml track --help"


def test_an_adapter_of_a_later_version_is_named_as_such() -> None:
    with pytest.raises(errors.NotYet) as caught:
        registry.adapter("nbml.targets", "kubernetes")
    assert str(caught.value) == "the target 'kubernetes' is not there yet; local is\nTry: %nbml deploy --help"
    with pytest.raises(errors.NotYet) as caught:
        registry.adapter("nbml.samplers", "hyperopt")
    assert str(caught.value) == "the sampler 'hyperopt' is not there yet; grid, optuna and random are\nTry: %nbml tune --help"
