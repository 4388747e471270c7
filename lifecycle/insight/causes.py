"""Why a policy makes no progress, each cause worded once: for `status`, mails, logs and passes."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from lifecycle.db.version import to_install
from lifecycle.hints import database_option
from lifecycle.phrases import phrase


@dataclass(frozen=True)
class Cause:
    """A clause that says what it is, and what to do; `%(policy)s`, `%(database)s` and
    `%(install)s` are filled in. `briefly` stands after a policy's name and "is".
    """

    says: str
    advice: str
    briefly: str = ""

    def ends_nothing(self, using: str) -> str:
        """After a policy's name and "is", with what follows of it, and what to do."""
        return phrase(
            "%(cause)s: nothing of it ends here; %(advice)s",
            cause=phrase(self.briefly),
            advice=self._advice("", using),
        )

    def problem(self, using: str) -> str:
        """After a policy's name and "is", with what to do in this database."""
        return phrase(
            "%(cause)s: %(advice)s", cause=phrase(self.briefly), advice=self._advice("", using)
        )

    def clause(self, policy: str, using: str) -> str:
        """What it is, and what to do, of one policy."""
        return phrase(
            "%(cause)s: %(advice)s", cause=phrase(self.says), advice=self._advice(policy, using)
        )

    def _advice(self, policy: str, using: str) -> str:
        about = {"policy": policy, "database": database_option(using)}
        return phrase(self.advice, install=to_install(using), **about)


#: by its name in alerts; '' is what is said where nothing else is known
CAUSES = {
    "": Cause(
        _(
            "perhaps no worker runs (`manage.py run_huey`), another session keeps rows locked, or"
            " more falls due than the worker can do"
        ),
        _("the worker's log says more"),
    ),
    "locked": Cause(
        _("another session has them locked each time they are tried"),
        _("find it in pg_stat_activity"),
    ),
    "archive": Cause(
        _("they go into an archive first, and it cannot be made"),
        _("`manage.py lifecycle status %(policy)s%(database)s` says why"),
    ),
    "undeclared": Cause(
        _("it is not declared in this code, and enabled in the database"),
        _(
            "deploy the code that declares it, or run `manage.py migrate%(database)s` with the"
            " code that has dropped it"
        ),
    ),
    "outdated": Cause(
        _("it is declared differently in the database than in this code"),
        _("%(install)s, or update this code"),
        _("declared differently in the database than in this code"),
    ),
    "altered": Cause(
        _("it is of other SQL in the database than this code compiles"),
        _("find out whether somebody has changed lifecycle_policy, then %(install)s"),
        _("of other SQL in the database than this code compiles"),
    ),
    "paused": Cause(
        _("it is paused"),
        _(
            "`manage.py lifecycle resume %(policy)s%(database)s` lets it go on,"
            " `manage.py lifecycle disable %(policy)s%(database)s` says that it only observes"
        ),
    ),
    "observe": Cause(
        _("it only observes"),
        _("`manage.py lifecycle enable %(policy)s%(database)s` lets it end them"),
    ),
    "held": Cause(
        _("all of it is held"),
        _("`manage.py lifecycle holds%(database)s` says by whom and why"),
    ),
}
#: those by which a person has stopped it
STOPPED = ("paused", "observe", "held")
