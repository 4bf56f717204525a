"""How many instances must agree before it goes on: all, unless somebody says otherwise."""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Self

from django.utils.translation import gettext_noop as _

from plans.faults import Invalid

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_RATIO = re.compile(r"([0-9]{1,6}) of ([0-9]{1,6})")


@dataclass(frozen=True)
class Quorum:
    """A number of instances, or a share of them; `str()` gives it back as it was written."""

    count: int | None = None
    share: Fraction = Fraction(1)
    text: str = "all"

    @classmethod
    def parse(cls, given: int | str) -> Self:
        """Read `"all"`, a number (9), `"9 of 10"` or `"90%"`; raises ValueError.

        The last two are shares: of 20 instances both mean 18.
        """
        if isinstance(given, int):
            if given < 1:
                raise Invalid(_("At least one instance must agree."))
            return cls(count=given, text=str(given))
        if given == "all":
            return cls()
        if percent := _PERCENT.fullmatch(given):
            share = Fraction(percent[1]) / 100
        elif (ratio := _RATIO.fullmatch(given)) and int(ratio[2]):
            share = Fraction(int(ratio[1]), int(ratio[2]))
        else:
            raise Invalid(_('Give "all", a number, "9 of 10" or "90%%".'))
        if not 0 < share <= 1:
            raise Invalid(_("A share is more than nothing and at most all."))
        return cls(share=share, text=given)

    @property
    def is_all(self) -> bool:
        return self.count is None and self.share == 1

    def needed(self, total: int) -> int:
        """How many of `total` instances must agree: never more than there are, rounded up."""
        return min(self.count, total) if self.count else ceil(total * self.share)

    def __str__(self) -> str:
        return self.text


ALL = Quorum()
