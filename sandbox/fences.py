"""Fences: the highest epoch seen for each tenant, and the refusal of older ones."""


class Fences:
    """Fences are always watched; only when `enforced` is an older one refused."""

    def __init__(self) -> None:
        self.enforced = False
        self.refused = 0
        self._highest: dict[str, int] = {}

    def admits(self, tenant_id: str, fence: int | None) -> bool:
        """Whether a write with this fence may be applied. A write without one always may."""
        if fence is None:
            return True
        highest = self._highest.get(tenant_id, fence)
        if fence >= highest:
            self._highest[tenant_id] = fence
            return True
        if self.enforced:
            self.refused += 1
            return False
        return True

    def highest(self, tenant_id: str) -> int | None:
        return self._highest.get(tenant_id)

    def reset(self) -> None:
        self.enforced = False
        self.refused = 0
        self._highest.clear()
