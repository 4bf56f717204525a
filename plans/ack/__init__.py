"""Delivery with acknowledgement: write, publish, and ask until those who use it say that they do.

A small library: it knows HTTP and Redis, and nothing of plans, tasks or a database.

- `tags`: which version is expected, read from the value that is delivered.
- `readers`: which version an instance reports, read from its answer.
- `strategies`: how long between two rounds of questions.
- `quorum`: how many must agree.
- `poll`: the rounds, which can be stored between two of them; `result`: what they led to.
- `delivery`: all of it in one call, for who may wait.
"""

from plans.ack.delivery import Delivery, deliver, wait_for
from plans.ack.poll import Poll
from plans.ack.question import Question
from plans.ack.quorum import ALL, Quorum
from plans.ack.readers import Header, JsonPath, Pattern, Reader
from plans.ack.result import AckResult, InstanceAck, Reason, Status
from plans.ack.strategies import Exponential, Fixed, Strategy
from plans.ack.tags import Digest, JsonField, Tag

__all__ = [
    "ALL",
    "AckResult",
    "Delivery",
    "Digest",
    "Exponential",
    "Fixed",
    "Header",
    "InstanceAck",
    "JsonField",
    "JsonPath",
    "Pattern",
    "Poll",
    "Question",
    "Quorum",
    "Reader",
    "Reason",
    "Status",
    "Strategy",
    "Tag",
    "deliver",
    "wait_for",
]
