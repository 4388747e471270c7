"""Random lives of rows, the same ones every time; tests/soak takes other ones, and longer."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.file_lives import FileLives
from tests.group_lives import GroupLives
from tests.lives import Lives
from tests.notice_lives import NoticeLives
from tests.period_lives import PeriodLives
from tests.stage_lives import StageLives

QUICK = settings(
    max_examples=3,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db(transaction=True)
def test_random_lives_are_as_the_reference_says() -> None:
    run_state_machine_as_test(Lives, settings=QUICK)


@pytest.mark.django_db(transaction=True)
def test_random_lives_of_files_are_as_the_reference_says(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = FileLives.folder = tmp_path
    run_state_machine_as_test(FileLives, settings=QUICK)


@pytest.mark.django_db(transaction=True)
def test_random_lives_of_groups_are_as_the_model_says() -> None:
    run_state_machine_as_test(GroupLives, settings=QUICK)


@pytest.mark.django_db(transaction=True)
def test_random_lives_by_outcome_are_as_the_model_says() -> None:
    run_state_machine_as_test(PeriodLives, settings=QUICK)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_random_lives_of_stages_are_as_the_model_says() -> None:
    run_state_machine_as_test(StageLives, settings=QUICK)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_random_lives_with_notices_are_as_the_model_says() -> None:
    run_state_machine_as_test(NoticeLives, settings=QUICK)
