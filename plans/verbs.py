"""Verbs of transitions and commands, as refusals say them: "cannot be rolled back"."""

from django.utils.translation import gettext_noop as _

from plans.message import Message

_WORDS = {
    "approve": _("be approved"),
    "cancel": _("be cancelled"),
    "complete": _("be completed"),
    "fail": _("be set to failed"),
    "fail_rollback": _("be set to rollback failed"),
    "finish_rollback": _("end its rollback"),
    "pause": _("be paused"),
    "reject": _("be rejected"),
    "resume": _("be resumed"),
    "retry": _("be retried"),
    "roll_back": _("be rolled back"),
    "skip": _("be skipped"),
    "start": _("be started"),
    "start_over": _("be started over"),
    "take_control_back": _("take back what was asked for"),
}


def words_of(verb: str) -> Message:
    """The words of `verb`; itself where it is not known here."""
    return Message(_WORDS.get(verb.replace(" ", "_"), verb))
