"""What the tests read from the record: calls of a tenant, tenants in flight."""

from tests.support.sandbox import Call, calls_of, max_in_flight


def call(tenant: str, step: str, started: float, ended: float | None, status: int = 200) -> Call:
    return {"tenant": tenant, "step": step, "started": started, "ended": ended, "status": status}


def switch(tenant: str, started: float, ended: float) -> list[Call]:
    return [
        call(tenant, "ob.get_tenant", 0, 0.1),
        call(tenant, "gateway.put_route", started, started + 0.1),
        call(tenant, "ob.put_status", ended - 0.1, ended),
    ]


def test_switches_that_overlap_are_in_flight_together() -> None:
    assert max_in_flight(switch("a", 1, 3) + switch("b", 2, 4) + switch("c", 3, 5)) == 2


def test_reading_a_tenant_is_not_yet_a_switch() -> None:
    calls = [call(tenant, "ob.get_tenant", 1, 2) for tenant in "abc"]
    assert max_in_flight(calls) == 0


def test_a_tenant_that_is_switched_twice_is_in_flight_twice_not_in_between() -> None:
    calls = switch("a", 1, 2) + switch("b", 3, 4) + switch("a", 5, 6)
    assert max_in_flight(calls) == 1


def test_a_status_that_was_refused_does_not_end_a_switch() -> None:
    calls = [
        call("a", "gateway.put_route", 1, 2),
        call("a", "ob.put_status", 2, 3, status=503),
        call("b", "gateway.put_route", 4, 5),
        call("a", "ob.put_status", 5, 6),
    ]
    assert max_in_flight(calls) == 2


def test_a_switch_without_an_end_lasts_to_its_last_call() -> None:
    calls = [
        call("a", "gateway.put_route", 1, 2),
        call("b", "gateway.put_route", 3, None),
        call("c", "gateway.put_route", 4, 5),
    ]
    assert max_in_flight(calls) == 2


def test_calls_are_chosen_by_tenant_and_step() -> None:
    calls = switch("a", 1, 2) + switch("b", 1, 2)
    assert len(calls_of(calls, "a")) == 3
    assert len(calls_of(calls, step="ob.put_status")) == 2
    assert len(calls_of(calls, "b", "ob.put_status")) == 1
