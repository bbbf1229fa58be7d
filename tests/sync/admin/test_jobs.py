"""The queue's pages call jobs jobs: a task is a rep's."""

import pytest
from django.utils.html import escape

from tests.people import People, logged_in


@pytest.mark.parametrize(
    ("path", "name"), [("/manager/django_q/schedule/", "Schedules"), ("/manager/django_q/failure/", "Failed jobs")]
)
def test_a_list_has_the_name_of_the_navigation(people: People, path: str, name: str) -> None:
    response = logged_in(people.admin).get(path)
    assert response.context["opts"].verbose_name_plural == response.context["cl"].opts.verbose_name_plural == name
    page = response.content.decode()
    assert [page.count(foreign) for foreign in ("Failed tasks", "Scheduled tasks")] == [0, 0]


@pytest.mark.parametrize("path", ["/manager/django_q/schedule/", "/manager/sync/task/", "/manager/teams/team/"])
def test_a_list_says_in_a_sentence_what_it_is_about(people: People, path: str) -> None:
    response = logged_in(people.admin).get(path)
    lead = response.context["cl"].model_admin.lead
    assert (bool(lead), response.content.decode().count(f'<p class="pb-lead">{escape(lead)}</p>')) == (True, 1)
