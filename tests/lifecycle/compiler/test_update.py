"""What an `Update` sets, as SQL, whatever the table and the columns are called."""

from django.db import models
from django.test.utils import isolate_apps

from lifecycle import Policy, Update
from lifecycle.compiler.policy_sql import assignments


@isolate_apps("tests.zoo")
def test_names_that_look_like_the_statement() -> None:
    class Odd(models.Model):
        label = models.TextField(db_column="a SET b = c")
        expires_at = models.DateTimeField()

        class Meta:
            app_label = "zoo"
            db_table = "x SET y"

    values = {"label": "it SET d = 1", "expires_at": None}
    policy = Policy("odd", Odd, expires="expires_at", disposition=Update(**values))
    assert assignments(policy, values) == [
        ('"a SET b = c"', "'it SET d = 1'"),
        ('"expires_at"', "NULL"),
    ]
