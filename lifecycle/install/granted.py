"""What roles were granted, told by what they may do with the package's tables.

A function that is made anew is nobody's to call but its owner's: those who may use the tables get
their functions again, and what they need of the package's own tables. The site's tables were there
all the time, and so were the rights on them: nobody gets any there.
"""

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.install.roles import PLANNED, Role, apply, grants, refuse, site_tables


def grant_again(using: str) -> list[str]:
    """Grant the roles of the site, of the worker and of readers what they had; their names."""
    roles = [role for role in granted(using) if _may_be(role, using)]
    # Each for itself: one that is a member of another has what it had.
    apply([text for role in roles for text in grants([role], using, ours_only=True)], using)
    return [role.name for role in roles]


def granted(using: str) -> list[Role]:
    """The roles that may read the ledger, and what each is for."""
    params = {"tables": site_tables(using), "plans": PLANNED[0]}
    return [Role(*row) for row in fetch(using, statement(__file__, "granted"), params)]


def _may_be(role: Role, using: str) -> bool:
    try:
        refuse(role, [], using)
    except LifecycleError:
        return False  # a superuser, whom no grant limits
    return True
