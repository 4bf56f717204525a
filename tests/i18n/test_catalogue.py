"""Every text for people has its translation, and the compiled catalogue is that of its source."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from plans.errors import BluegreenError
from scripts import messages

MEND = "run `make messages`, translate what it lists, and run it again"
ROOT = messages.ROOT
CATALOGUES = messages.catalogues()
TEXTS = messages.collect()
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|%s|</?\w+>")
MARKS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext"}
GLOSSARY = ROOT / "docs" / "glossary.md"
HAN = re.compile(r"[\u4e00-\u9fff]")
SAME = {"Redis", "TTL", "Bluegreen"}
"""Names that are the same in every language."""
LOOKING_UP = {
    "plans/management/commands/ack.py",
    "plans/management/commands/plan.py",
    "plans/message.py",
    "plans/templatetags/bluegreen.py",
}
"""These look up what is marked elsewhere."""

pytestmark = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])


def of(message: Message) -> list[str]:
    """What stands in a message, in all its forms."""
    given = message.id if isinstance(message.id, tuple) else (message.id,)
    return [str(text) for text in given]


def translations(message: Message) -> list[str]:
    """What it is translated to, in all forms; nothing where that waits."""
    given = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return [str(text) for text in given if text]


def ids(catalogue: Catalog) -> set[object]:
    return {message.id for message in catalogue if message.id}


def test_the_catalogue_holds_what_the_source_says_and_nothing_else(path: Path) -> None:
    assert ids(messages.read(path)) == ids(TEXTS), MEND


def test_every_text_is_translated_and_no_translation_is_a_guess(path: Path) -> None:
    waiting = [message.id for message in messages.untranslated(messages.read(path))]
    assert waiting == [], MEND


def test_a_translation_has_the_placeholders_and_tags_of_its_text(path: Path) -> None:
    for message in messages.read(path):
        for text in translations(message) if message.id else ():
            assert sorted(PLACEHOLDER.findall(text)) == sorted(
                PLACEHOLDER.findall(of(message)[-1])
            ), text


def test_a_translation_is_written_in_its_language(path: Path) -> None:
    for message in messages.read(path):
        for text in translations(message) if message.id else ():
            words = re.sub(PLACEHOLDER, "", of(message)[-1])
            spoken = re.search(r"[A-Za-z]{3}", re.sub(r"`[^`]*`|https?:\S+", "", words))
            assert HAN.search(text) or not spoken or words.strip() in SAME, text
            assert text[:1].isspace() == of(message)[-1][:1].isspace(), text


def test_the_compiled_catalogue_is_that_of_its_source(path: Path) -> None:
    kept = GNUTranslations(BytesIO(path.with_suffix(".mo").read_bytes()))
    made = GNUTranslations(BytesIO(messages.compiled(messages.read(path))))
    assert dict(kept._catalog) == dict(made._catalog), MEND  # type: ignore[attr-defined]


def test_every_error_can_be_said_in_it(path: Path) -> None:
    known = ids(messages.read(path))
    waiting: list[type[BluegreenError]] = [BluegreenError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        # Those of other packages bring their own catalogues.
        assert kind.template in known or not kind.__module__.startswith("plans."), kind


def test_no_text_is_marked_that_is_put_together_before_it_is_looked_up(path: Path) -> None:
    """`_(f"…")` and `ngettext(text, …)` are in no catalogue: the template must stand there."""
    found = [f"{source}:{call.lineno}" for source, call in calls() if is_computed(call)]
    assert {where.partition(":")[0] for where in found} <= LOOKING_UP, found


def test_the_catalogue_uses_the_words_of_the_glossary(path: Path) -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", GLOSSARY.read_text(), re.MULTILINE)
    words = dict(row for row in rows if HAN.search(row[1]) and row[0] != "English")
    catalogue = messages.read(path)
    given = {word: catalogue.get(word) for word in words}
    alone = {word: text for word, found in given.items() if found for text in translations(found)}
    assert len(alone) > len(words) / 2
    assert alone == {word: words[word] for word in alone}


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call that marks a text, by whatever name it was imported."""
    for path in sorted((ROOT / "plans").rglob("*.py")):
        tree = ast.parse(path.read_text())
        names = {
            each.asname or each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
            for each in node.names
            if each.name in MARKS
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                yield path.relative_to(ROOT), node


def is_computed(call: ast.Call) -> bool:
    texts = call.args[: 2 if len(call.args) == 3 else 1]
    return not all(isinstance(text, ast.Constant) for text in texts)
