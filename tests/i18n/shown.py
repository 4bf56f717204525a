"""What a page says: its text, and the attributes that people read or hear."""

from html.parser import HTMLParser

READ = {"title", "aria-label", "placeholder", "alt", "content"}
UNREAD = {"script", "style", "code", "kbd", "template", "textarea", "pre"}


class Words(HTMLParser):
    """Collects every text of a page that is for people, one entry each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in UNREAD
        for name, value in attrs:
            says = name in READ or (name.startswith("data-") and " " in (value or ""))
            if value and says and tag != "meta":
                self.found.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden:
            self.found.append(data.strip())


def words_of(page: str) -> list[str]:
    """The texts of `page`."""
    parser = Words()
    parser.feed(page)
    return parser.found
