"""Random lives of rows, for as long as it takes: other seeds each time, printed when one fails."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.file_lives import FileLives
from tests.group_lives import GroupLives
from tests.lives import Lives
from tests.notice_lives import NoticeLives
from tests.period_lives import PeriodLives
from tests.purge.batch.test_properties import QUICK
from tests.stage_lives import StageLives

LONG = settings(
    QUICK, max_examples=1_500, stateful_step_count=60, derandomize=False, print_blob=True
)
LONG_OF_FILES = settings(LONG, max_examples=300)


@pytest.mark.django_db(transaction=True)
def test_many_random_lives_are_as_the_reference_says() -> None:
    run_state_machine_as_test(Lives, settings=LONG)


@pytest.mark.django_db(transaction=True)
def test_many_random_lives_of_files_are_as_the_reference_says(
    tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = FileLives.folder = tmp_path
    run_state_machine_as_test(FileLives, settings=LONG_OF_FILES)


@pytest.mark.django_db(transaction=True)
def test_many_random_lives_of_groups_are_as_the_model_says() -> None:
    run_state_machine_as_test(GroupLives, settings=LONG_OF_FILES)


@pytest.mark.django_db(transaction=True)
def test_many_random_lives_by_outcome_are_as_the_model_says() -> None:
    run_state_machine_as_test(PeriodLives, settings=LONG_OF_FILES)


@pytest.mark.django_db(transaction=True)
def test_many_random_lives_of_stages_are_as_the_model_says() -> None:
    run_state_machine_as_test(StageLives, settings=LONG_OF_FILES)


@pytest.mark.django_db(transaction=True)
def test_many_random_lives_with_notices_are_as_the_model_says() -> None:
    run_state_machine_as_test(NoticeLives, settings=LONG_OF_FILES)
