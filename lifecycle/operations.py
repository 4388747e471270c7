"""The migration operation that names `.sql` files of this package."""

from typing import Any

from django.db.migrations.operations.base import Operation

from .sqlfile import load


class RunFiles(Operation):
    """Run `.sql` files in order; `@tables@` is the schema in which this app's tables are."""

    reversible = True
    reduces_to_sql = False

    def __init__(self, files: list[str], reverse_sql: str = "SELECT") -> None:
        self.files, self.reverse_sql = files, reverse_sql

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models are as they were."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if not self._is_for(app_label, schema_editor.connection, to_state):
            return
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            schema = cursor.fetchone()[0]
        for name in self.files:
            schema_editor.execute(load(__file__, name).replace("@tables@", schema), params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if self._is_for(app_label, schema_editor.connection, from_state):
            schema_editor.execute(self.reverse_sql, params=None)

    def _is_for(self, app_label: str, connection: Any, state: Any) -> bool:
        """Whether the router puts the app's tables here: without them the functions have no use."""
        models = [model for model in state.apps.get_models() if model._meta.app_label == app_label]
        here = all(self.allow_migrate_model(connection.alias, model) for model in models)
        return connection.vendor == "postgresql" and here

    def describe(self) -> str:
        return f"Run {len(self.files)} SQL files of lifecycle"
