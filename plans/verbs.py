"""Verbs of transitions and commands, as refusals say them: "cannot roll back"."""

from django.utils.translation import gettext_noop as _

from plans.message import Message

_WORDS = {
    "approve": _("approve"),
    "cancel": _("cancel"),
    "complete": _("complete"),
    "fail": _("fail"),
    "fail_rollback": _("fail rollback"),
    "finish_rollback": _("finish rollback"),
    "pause": _("pause"),
    "reject": _("reject"),
    "resume": _("resume"),
    "retry": _("retry"),
    "roll_back": _("roll back"),
    "skip": _("skip"),
    "start": _("start"),
    "start_over": _("start over"),
    "take_control_back": _("take control back"),
}


def words_of(verb: str) -> Message:
    """The words of `verb`; itself where it is not known here."""
    return Message(_WORDS.get(verb.replace(" ", "_"), verb))
