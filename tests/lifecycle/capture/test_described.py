"""What `makemigrations` prints of our operations."""

from pgtrigger.migrations import AddTrigger, RemoveTrigger

from lifecycle.capture.triggers import registered


def test_a_trigger_is_added_and_removed_without_a_question_mark() -> None:
    model, trigger = registered()[0]
    compiled = trigger.compile(model)
    added = AddTrigger(model_name="token", trigger=compiled)
    removed = RemoveTrigger(model_name="token", name=compiled.name)
    assert added.formatted_description().startswith("+ Create trigger ")
    assert removed.formatted_description().startswith("- Remove trigger ")
