"""What roles were granted, told by what they may do with the package's tables.

A function that is made anew is nobody's to call but its owner's: those who may use the tables get
their functions again.
"""

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.install.roles import Role, apply, grants, refuse


def grant_again(using: str) -> list[str]:
    """Grant the roles of the site, of the worker and of readers what they had; their names."""
    roles = [role for role in granted(using) if _may_be(role, using)]
    apply(grants(roles, using), using)
    return [role.name for role in roles]


def granted(using: str) -> list[Role]:
    """The roles that may read the ledger, and what each is for."""
    return [Role(*row) for row in fetch(using, statement(__file__, "granted"))]


def _may_be(role: Role, using: str) -> bool:
    try:
        refuse(role, [], using)
    except LifecycleError:
        return False  # a superuser, whom no grant limits
    return True
