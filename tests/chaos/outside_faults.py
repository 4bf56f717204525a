"""The services around are slow, refuse, hang, and break connections after they have acted."""

from typing import Any

from tests.chaos.faults import Scene, fault
from tests.chaos.installation import HTTP_TIMEOUT_SECONDS

LANE = "outside"
LATE = {"kind": "latency", "seconds": HTTP_TIMEOUT_SECONDS + 1}
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gateway acts after the caller's time-out": ("gateway.put_route", LATE),
    "OB service acts after the caller's time-out": ("ob.put_status", LATE),
    "gateway hangs": ("gateway.put_route", {"kind": "hang"}),
    "gateway hangs after headers": ("gateway.put_route", {"kind": "hang_after_headers"}),
    "gateway answers 503": ("gateway.put_route", {"kind": "status", "code": 503}),
    "gateway answers 500 to reads": ("gateway.get_route", {"kind": "status", "code": 500}),
    "gateway answers 429": (
        "gateway.put_route",
        {"kind": "status", "code": 429, "retry_after": "1"},
    ),
    "gateway resets after it acted": ("gateway.put_route", {"kind": "drop_after_apply"}),
    "OB service resets after it acted": ("ob.put_status", {"kind": "drop_after_apply"}),
    "OB service breaks connections": ("ob.get_tenant", {"kind": "drop"}),
    "OB service answers 502": ("ob.put_status", {"kind": "status", "code": 502}),
    "gateway answers nonsense": ("gateway.put_route", {"kind": "garbage"}),
    "instances take up nothing": ("instance.apply", {"kind": "drop"}),
    "instances hang": ("instance.config", {"kind": "hang"}),
    "services refuse": ("instance.notify", {"kind": "status", "code": 503}),
    "services reset after they heard": ("instance.notify", {"kind": "drop_after_apply"}),
    "instances are unhealthy": ("instance.health", {"kind": "unhealthy"}),
}


def break_service(scene: Scene, name: str, step: str, what: dict[str, Any]) -> None:
    """For all tenants for some seconds."""
    seconds = scene.chance.uniform(2, 6)
    scene.diary.tell(f"{name} for {seconds:.1f} s")
    number = scene.site.sandbox.add_fault("*", step, **what)
    scene.wait(seconds)
    scene.site.sandbox.remove_fault(number)


def _register(name: str, step: str, what: dict[str, Any]) -> None:
    fault(LANE, name)(lambda scene: break_service(scene, name, step, what))


for each, (its_step, how) in FAULTS.items():
    _register(each, its_step, how)


@fault(LANE, "everything outside is frozen")
def freeze_outside(scene: Scene) -> None:
    """Connections stay open and nobody answers; what was sent takes effect later."""
    scene.diary.tell("the sandbox is frozen for 5 s")
    scene.site.freeze_sandbox()
    scene.wait(5)
    scene.site.thaw_sandbox()
