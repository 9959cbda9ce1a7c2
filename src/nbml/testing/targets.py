"""What every target promises, as tests: subclass ``TargetSuite`` and give the fixtures.

::

    class TestMine(TargetSuite):
        @pytest.fixture
        def target(self): ...        # a Target
        @pytest.fixture
        def order(self): ...         # an Order of a service that works
        @pytest.fixture
        def newer(self): ...         # the same name, another version that works
        @pytest.fixture
        def broken(self): ...        # the same name, a version whose last words at start are "no licence"
        def answers(self, url): ...  # the version that answers at url, "" where nothing does
"""

from __future__ import annotations

import itertools
import time

import pytest

from nbml import errors
from nbml.deploying.state import Status
from nbml.deploying.targets import Order, Target


class TargetSuite:
    """The promises of ``nbml.deploying.targets.Target``."""

    def answers(self, url: str) -> str:
        """The reference of the version that answers at ``url``; "" where nothing does."""
        raise NotImplementedError

    def test_what_is_applied_answers_and_after_stop_is_gone(self, target: Target, order: Order) -> None:
        assert target.status(order.name) is None
        assert target.logs(order.name, 10) == []
        plan = target.plan(order)
        assert plan
        assert all(isinstance(step, str) for step in plan)
        assert target.status(order.name) is None, "a plan changes nothing"
        target.stop(order.name)
        told: list[tuple[float, Status | None]] = []
        status = target.apply(order, lambda s: told.append((time.monotonic(), s)))
        try:
            assert (status.state, status.service) == ("running", order.service)
            assert self.answers(status.url) == order.service
            assert told
            assert all(later[0] - earlier[0] < 2 for earlier, later in itertools.pairwise(told))
            found = target.status(order.name)
            assert found is not None
            assert (found.state, found.url) == ("running", status.url)
        finally:
            target.stop(order.name)
        assert self.answers(status.url) == ""
        found = target.status(order.name)
        assert found is None or found.state == "stopped"
        target.stop(order.name)

    def test_another_version_takes_its_place_at_the_same_address(self, target: Target, order: Order, newer: Order, broken: Order) -> None:
        first = target.apply(order, lambda s: None)
        try:
            with pytest.raises(errors.ServiceDied, match="no licence"):
                target.apply(broken, lambda s: None)
            after = target.status(order.name)
            assert after is not None
            assert (after.state, after.service, after.worker) == ("running", order.service, first.worker), "it was never stopped"
            assert self.answers(first.url) == order.service
            second = target.apply(newer, lambda s: None)
            assert (second.service, second.url) == (newer.service, first.url)
            assert self.answers(first.url) == newer.service
        finally:
            target.stop(order.name)

    def test_what_dies_at_start_says_why_and_leaves_nothing(self, target: Target, broken: Order) -> None:
        with pytest.raises(errors.ServiceDied, match="no licence"):
            target.apply(broken, lambda s: None)
        assert target.status(broken.name) is None
        assert target.logs(broken.name, 10) == []
