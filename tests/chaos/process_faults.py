"""Processes are killed, frozen for longer than a lease, told the wrong time, replaced."""

from contextlib import suppress
from functools import partial
from subprocess import TimeoutExpired

from tests.chaos.faults import FROZEN_SECONDS, Scene, fault
from tests.chaos.installation import Member

LANE = "processes"
KINDS = ("worker", "conductor", "web", "renewals")
OFF_SECONDS = 300.0
LEAVE_SECONDS = 15.0


def _lose(scene: Scene, member: Member) -> None:
    """Write down that what this one has begun may be done by another, too."""
    scene.diary.crash()
    if member.kind == "worker":
        scene.diary.lost(member.process.pid)


def kill(scene: Scene, *, kind: str) -> None:
    """SIGKILL one, and start another in its place."""
    member = scene.one(kind)
    scene.diary.tell(f"kill {member.name}")
    _lose(scene, member)
    member.process.kill()
    scene.wait(scene.chance.uniform(0, 1.5))
    scene.site.start_again(member)


def freeze(scene: Scene, *, kind: str) -> None:
    """SIGSTOP one for longer than a lease; it does not know it."""
    member = scene.one(kind)
    scene.diary.tell(f"freeze {member.name} for {FROZEN_SECONDS:g} s")
    _lose(scene, member)
    member.process.freeze()
    scene.wait(FROZEN_SECONDS)
    member.process.thaw()


for each in KINDS:
    fault(LANE, f"kill a {each}")(partial(kill, kind=each))
    fault(LANE, f"freeze a {each}")(partial(freeze, kind=each))


@fault(LANE, "kill all workers")
def kill_all_workers(scene: Scene) -> None:
    """Nobody is left to go on, until others are started."""
    scene.diary.tell("kill all workers at once")
    workers = scene.site.of_kind("worker")
    for member in workers:
        _lose(scene, member)
        member.process.kill()
    for member in workers:
        scene.site.start_again(member)


@fault(LANE, "a worker's clock is wrong")
def a_wrong_clock(scene: Scene) -> None:
    """A worker five minutes ahead or behind, for a while."""
    member = scene.one("worker")
    seconds = scene.chance.choice((-OFF_SECONDS, OFF_SECONDS))
    scene.diary.tell(f"{member.name} gets a clock that is {seconds:+g} s off")
    _leave(scene, member)
    scene.site.start_again(member, lambda: scene.site.worker_with_wrong_clock(seconds))
    scene.wait(8)
    _leave(scene, member)
    scene.site.start_again(member)


@fault(LANE, "deploy")
def deploy(scene: Scene) -> None:
    """Every process leaves in order and another one comes, one after another."""
    scene.diary.tell("rolling restart of everything")
    for member in scene.site.members:
        _leave(scene, member)
        scene.site.start_again(member)
        if scene.over.is_set():
            return


def _leave(scene: Scene, member: Member) -> None:
    """SIGTERM; whoever does not heed it in time is killed."""
    scene.diary.crash()  # Where the database is away, it can give nothing back in order.
    member.process.terminate()
    with suppress(TimeoutExpired):
        member.process.wait(LEAVE_SECONDS)
        return
    _lose(scene, member)
    member.process.kill()
