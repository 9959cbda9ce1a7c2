"""What is said where a name, a target or an option does not exist. Nothing is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbml
from nbml import errors


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: nbml.deploy("chrn"), errors.UnknownService, 'no service \'chrn\'; nearest: churn@2\nTry: nbml.service("churn@2")'),
        (lambda: nbml.deploy("churn@9"), errors.UnknownService, 'no service \'churn@9\'; nearest: churn@2\nTry: nbml.service("churn@2")'),
        (lambda: nbml.deploy("churn", to="kubernetes"), errors.NotYet,
         "the target 'kubernetes' is not there yet; local is\nTry: %nbml deploy --help"),
        (lambda: nbml.deploy("churn", to="moon"), errors.UnknownAdapter, "no target 'moon'; known: local\nTry: %nbml deploy --help"),
        (lambda: nbml.deploy("churn", to="locl"), errors.UnknownAdapter, "no target 'locl'; nearest: local\nTry: %nbml deploy --help"),
        (
            lambda: nbml.deploy("churn", canary=10), errors.NotYet,
            "this version has no canary deployments: deploy replaces what runs\nTry: nbml.deploy('churn')",
        ),
        (lambda: nbml.stop("churn"), errors.UnknownDeployment, "the service churn is packaged, not deployed\nTry: %nbml deploy churn"),
        (lambda: nbml.deployment("zzz"), errors.UnknownDeployment, "nothing of the name 'zzz' is deployed; nothing is deployed yet"
                                                                   "\nTry: %nbml deployments"),
        (lambda: nbml.rollback("churn"), errors.UnknownDeployment, "the service churn is packaged, not deployed\nTry: %nbml deploy churn"),
        (lambda: nbml.try_form("churn@preview"), errors.UnknownDeployment,
         "no preview of 'churn' answers in this kernel\nTry: %nbml try churn"),
        (lambda: nbml.try_form("chrun"), errors.UnknownDeployment, "nothing of the name 'chrun' is deployed; nothing is deployed yet"
                                                                   "\nTry: %nbml deployments"),
        (
            lambda: nbml.deploy("churn", name="My Churn"), errors.BadName,
            "the name 'My Churn' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; 'my-churn' would",
        ),
    ],
)  # fmt: skip
def test_the_whole_message(project: Path, call: Callable[[], Any], kind: type[errors.NbmlError], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
    assert not (project / ".nbml" / "deployments").exists()
