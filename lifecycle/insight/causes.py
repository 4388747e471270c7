"""Why a policy makes no progress, each cause worded once: for `status`, mails, logs and passes."""

from dataclasses import dataclass

from lifecycle.db.version import INSTALL, to_install
from lifecycle.hints import database_option


@dataclass(frozen=True)
class Cause:
    """A clause that says what it is, and what to do; `{policy}` and `{database}` are filled in."""

    says: str
    advice: str

    @property
    def briefly(self) -> str:
        """After a policy's name and "is"."""
        return self.says.removeprefix("it is ")

    @property
    def ends_nothing(self) -> str:
        """The same with what follows of it, and what to do."""
        return f"{self.briefly}: nothing of it ends here; {self.advice}"

    def problem(self, using: str) -> str:
        """After a policy's name and "is", with what to do in this database."""
        return f"{self.briefly}: {self.advice}".replace(INSTALL, to_install(using))

    def clause(self, policy: str, using: str) -> str:
        """What it is, and what to do, of one policy."""
        text = f"{self.says}: {self.advice}".replace(INSTALL, to_install(using))
        return text.format(policy=policy, database=database_option(using))


#: by its name in alerts; '' is what is said where nothing else is known
CAUSES = {
    "": Cause(
        "perhaps no worker runs (`manage.py run_huey`), another session keeps rows locked, or more"
        " falls due than the worker can do",
        "the worker's log says more",
    ),
    "locked": Cause(
        "another session has them locked each time they are tried", "find it in pg_stat_activity"
    ),
    "archive": Cause(
        "they go into an archive first, and it cannot be made",
        "`manage.py lifecycle status {policy}{database}` says why",
    ),
    "undeclared": Cause(
        "it is not declared in this code, and enabled in the database",
        "deploy the code that declares it, or run `manage.py migrate{database}` with the code that"
        " has dropped it",
    ),
    "outdated": Cause(
        "it is declared differently in the database than in this code",
        f"{INSTALL}, or update this code",
    ),
    "altered": Cause(
        "it is of other SQL in the database than this code compiles",
        f"find out whether somebody has changed lifecycle_policy, then {INSTALL}",
    ),
    "paused": Cause(
        "it is paused",
        "`manage.py lifecycle resume {policy}{database}` lets it go on,"
        " `manage.py lifecycle disable {policy}{database}` says that it only observes",
    ),
    "observe": Cause(
        "it only observes", "`manage.py lifecycle enable {policy}{database}` lets it end them"
    ),
    "held": Cause(
        "all of it is held", "`manage.py lifecycle holds{database}` says by whom and why"
    ),
}
#: those by which a person has stopped it
STOPPED = ("paused", "observe", "held")
