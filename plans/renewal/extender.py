"""Moving the ends of many keys further away, in one round trip, and never nearer.

`PEXPIREAT … GT` (Redis 7) moves an end only further away, and leaves a key alone that has no
end or does not exist. For older servers a script does the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from redis import Redis, ResponseError
from redis.commands.core import Script

from plans import conf


class KeyOutcome(IntEnum):
    """What became of one key; the values are those of the replies."""

    GONE = -2
    LASTING = -1
    """It has no TTL, and gets none."""
    KEPT = 0
    """It lives that long already."""
    RENEWED = 1


Result = KeyOutcome | int | ResponseError
"""An error is one key's alone; numbers are as good as outcomes."""


@dataclass(frozen=True)
class Move:
    """Keys whose end belongs at `end_ms` (milliseconds since 1970, by Redis's clock)."""

    keys: Sequence[bytes]
    end_ms: int


_SCRIPT = """
local time = redis.call('TIME')
local wanted = tonumber(ARGV[1])
local wanted_left = wanted - time[1] * 1000 - math.floor(time[2] / 1000)
local outcomes = {}
for place, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left < 0 then
    outcomes[place] = left
  elseif left >= wanted_left - 1 then
    outcomes[place] = 0
  else
    outcomes[place] = redis.call('PEXPIREAT', key, ARGV[1])
  end
end
return outcomes
"""
# What servers say that do not know GT: Redis 6.2, and one that knows other options.
_NO_GT = ("wrong number of arguments", "unsupported option", "syntax error")
SAME_END_MS = 50
"""Two readings of one end may differ by so much: the clock moves from one key to the next."""
_CLOCK = b"*1\r\n$4\r\nTIME\r\n"


class Extender:
    """Extends keys of one Redis; may be used by several threads."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._knows_gt = True

    def extend(self, moves: Sequence[Move], before: Callable[[], None]) -> list[list[Result]]:
        """The outcome of every key of every move.

        `before` is called right before anything is sent, and stops it by raising. Raises
        `RedisError` when Redis as a whole does not answer: then nobody knows what was done, and
        doing the same again is the same as once.
        """
        if self._knows_gt:
            replies = self._ask([_commands(move) for move in moves], _counts(moves), before)
            if not _is_without_gt(replies):
                self._explain_zeros(moves, replies, before)
                return replies
            self._knows_gt = False
        found: list[list[Result]] = []
        for move in moves:
            before()
            outcomes: list[int] = self._script(keys=list(move.keys), args=[move.end_ms])
            found.append([KeyOutcome(outcome) for outcome in outcomes])
        return found

    def lacking(self, moves: Sequence[Move], before: Callable[[], None]) -> list[list[Result]]:
        """As `extend`, but looking first: `RENEWED` here says only that the key lacks the end."""
        # Redis is asked for its time along with what is left: whoever asks may be held up between.
        packed = [_CLOCK, *(_questions(move.keys) for move in moves)]
        (time,), *found = self._ask(packed, [1, *_counts(moves)], before)
        now_ms = _milliseconds(time)
        for move, replies in zip(moves, found, strict=True):
            for place, left in enumerate(replies):
                if not isinstance(left, ResponseError) and left >= 0:
                    lives = now_ms + left >= move.end_ms - SAME_END_MS
                    replies[place] = KeyOutcome.KEPT if lives else KeyOutcome.RENEWED
        return found

    def _explain_zeros(
        self,
        moves: Sequence[Move],
        replies: list[list[Result]],
        before: Callable[[], None],
    ) -> None:
        unmoved = [
            Move([key for key, reply in zip(move.keys, each, strict=True) if reply == 0], 0)
            for move, each in zip(moves, replies, strict=True)
        ]
        if not any(move.keys for move in unmoved):
            return
        lefts = self._ask([_questions(move.keys) for move in unmoved], _counts(unmoved), before)
        for each, left in zip(replies, lefts, strict=True):
            reasons = iter(left)
            for place, reply in enumerate(each):
                if reply == 0:
                    reason = next(reasons)
                    # Whatever is left of its life, it is no less than was asked.
                    if not isinstance(reason, ResponseError):
                        reason = KeyOutcome(min(0, reason))
                    each[place] = reason

    def _ask(
        self, packed: list[bytes], counts: list[int], before: Callable[[], None]
    ) -> list[list[Any]]:
        """Send it all at once and read so many replies for each of `counts`."""
        # A pipeline of the library does the same, but packs every word of every command.
        pool = self._client.connection_pool
        connection = pool.get_connection()
        try:
            before()
            connection.send_packed_command(packed, check_health=False)
            read = connection.read_response
            found: list[list[Any]] = []
            for count in counts:
                replies: list[Any] = []
                for _ in range(count):
                    try:
                        replies.append(read())
                    except ResponseError as error:
                        replies.append(error)
                found.append(replies)
            return found
        except BaseException:
            # Replies may be under way that nobody reads.
            connection.disconnect()
            raise
        finally:
            pool.release(connection)

    @cached_property
    def _script(self) -> Script:
        return self._client.register_script(_SCRIPT)


def batches(keys: Sequence[bytes]) -> list[Sequence[bytes]]:
    """`keys` in pieces of what is sent at once."""
    size = conf.RENEWAL_BATCH_KEYS
    if len(keys) <= size:
        return [keys]
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def _counts(moves: Sequence[Move]) -> list[int]:
    return [len(move.keys) for move in moves]


def _milliseconds(time: Sequence[bytes]) -> float:
    seconds, micros = time
    return int(seconds) * 1000 + int(micros) / 1000


def _commands(move: Move) -> bytes:
    end = b"%d" % move.end_ms
    tail = b"\r\n$%d\r\n%b\r\n$2\r\nGT\r\n" % (len(end), end)
    head = b"*4\r\n$9\r\nPEXPIREAT\r\n$"
    return b"".join([b"%b%d\r\n%b%b" % (head, len(key), key, tail) for key in move.keys])


def _questions(keys: Sequence[bytes]) -> bytes:
    return b"".join([b"*2\r\n$4\r\nPTTL\r\n$%d\r\n%b\r\n" % (len(key), key) for key in keys])


def _is_without_gt(replies: list[list[Result]]) -> bool:
    first = next((each[0] for each in replies if each), None)
    return isinstance(first, ResponseError) and any(hint in str(first).lower() for hint in _NO_GT)
