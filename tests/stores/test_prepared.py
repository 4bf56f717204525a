"""Statements whose text is kept: what is kept does not grow with what is done."""

import pytest

from plans.engine.clock import in_seconds
from plans.models import Task
from plans.stores import prepared


@pytest.mark.django_db
def test_waits_of_many_lengths_fill_no_memory() -> None:
    for number in range(2 * prepared.EXPRESSIONS_MAX):
        prepared.update(Task, 1, {"wake_at": in_seconds(number / 7)}, {})
    assert prepared._compiled.cache_info().currsize == prepared.EXPRESSIONS_MAX
    texts = prepared._update_text.cache_info().currsize
    prepared.update(Task, 1, {"wake_at": in_seconds(0.123)}, {})
    assert prepared._update_text.cache_info().currsize == texts
