"""Statements whose text is kept: what is kept does not grow with what is done."""

import pytest

from plans.engine.clock import in_seconds
from plans.models import Task
from plans.stores import columns, prepared


@pytest.mark.django_db
def test_waits_of_many_lengths_fill_no_memory() -> None:
    for number in range(2 * columns.EXPRESSIONS_MAX):
        prepared.update(Task, 1, {"wake_at": in_seconds(number / 7)}, {})
    assert columns.compiled.cache_info().currsize == columns.EXPRESSIONS_MAX
    texts = prepared._update_text.cache_info().currsize
    prepared.update(Task, 1, {"wake_at": in_seconds(0.123)}, {})
    assert prepared._update_text.cache_info().currsize == texts
