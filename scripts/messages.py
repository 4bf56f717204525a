"""Keeps the catalogues of translations: `python -m scripts.messages` (`make messages`).

It collects every text for people from the source, brings `locale/*/LC_MESSAGES/django.po` up to
date, says what waits for a translation, and compiles what is there. Babel does the work, so
neither this nor the tests need the programs of GNU gettext.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
SOURCES = ("plans", "bluegreen", "templates")
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
}
WIDTH = 100


def catalogues() -> list[Path]:
    """The `.po` of each language that there is."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def collect() -> Catalog:
    """Every text that the source marks for translation, without any."""
    found = Catalog(charset="utf-8", fuzzy=False)
    for path in sorted(path for name in SOURCES for path in (ROOT / name).rglob("*.*")):
        for text in _texts_of(path):
            # Without line numbers: a catalogue changes when a text does, not when it moves.
            found.add(text, locations=[(str(path.relative_to(ROOT)), 0)])
    return found


def read(path: Path) -> Catalog:
    """The catalogue as it stands in `path`."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def merged(catalogue: Catalog, texts: Catalog) -> Catalog:
    """`catalogue` with exactly `texts`; what they lack is dropped, what is new has no translation.

    Nothing is guessed: a text that changed has to be translated anew.
    """
    texts.creation_date = catalogue.creation_date
    catalogue.update(texts, no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    return catalogue


def untranslated(catalogue: Catalog) -> list[Message]:
    """The messages that lack a translation, or whose translation is marked as doubtful."""
    return [each for each in catalogue if each.id and (each.fuzzy or not all(_strings(each)))]


def as_text(catalogue: Catalog) -> bytes:
    """The catalogue as a `.po`."""
    file = BytesIO()
    write_po(file, catalogue, width=WIDTH, sort_output=True, include_lineno=False)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as a `.mo`."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> int:
    """Update and compile every catalogue. Returns 1 while something waits for a translation."""
    waiting = 0
    for path in catalogues():
        catalogue = merged(read(path), collect())
        path.write_bytes(as_text(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        missing = untranslated(catalogue)
        waiting += len(missing)
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(missing)} to translate")
        for message in missing:
            print(f"  {message.id!r}")
    return 1 if waiting else 0


def _texts_of(path: Path) -> Iterator[str | tuple[str, ...]]:
    if path.suffix == ".py":
        source = path.read_text()
        if "gettext" not in source:
            return
    elif path.suffix in {".html", ".svg", ".txt"} and "templates" in path.parts:
        # Django's own answer: a template as calls of gettext, everything else made unreadable.
        calls = templatize(path.read_text(), origin=str(path))
        source = "\n".join(line.strip() for line in calls.splitlines())
    else:
        return
    for _line, text, _comments, _context in extract(
        "python", BytesIO(source.encode()), keywords=KEYWORDS
    ):
        yield text


def _strings(message: Message) -> list[object]:
    return list(message.string) if isinstance(message.string, list | tuple) else [message.string]


if __name__ == "__main__":
    if not settings.configured:
        settings.configure()
    sys.exit(main())
