"""A channel layer that loses most messages, as Pub/Sub does while Redis restarts."""

import random
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

LOSS = 0.7
_chance = random.Random(7)


class LossyLayer(RedisPubSubChannelLayer):
    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if _chance.random() > LOSS:
            await self._get_layer().group_send(group, message)
