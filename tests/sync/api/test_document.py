"""The OpenAPI document and its page."""

from typing import Any, get_args

import pytest
from django.test import Client

from sync.api import schemas
from sync.enums import AttemptOutcome, CallDirection, TaskKind, TaskStatus
from sync.models import ReceivedTask
from sync.task_answers import answer, loaded
from tests.people import People
from tests.sync.api.conftest import Dialer, call


def document(client: Client) -> Any:
    return client.get("/api/v1/openapi.json").json()


def test_the_values_are_those_of_the_enums() -> None:
    assert set(get_args(schemas.Kind)) == {*TaskKind.values, schemas.TRACK_AND_SYNC}
    assert set(get_args(schemas.Direction)) == set(CallDirection.values)
    assert set(get_args(schemas.State)) == set(TaskStatus.values)
    assert set(get_args(schemas.AttemptOut.model_fields["outcome"].annotation)) == set(AttemptOutcome.values)


def test_the_document_says_all_that_is_answered(client: Client) -> None:
    paths = document(client)["paths"]
    assert set(paths) == {"/api/v1/tasks", "/api/v1/tasks/{task}"}
    post = paths["/api/v1/tasks"]["post"]
    assert post["security"] == [{"Bearer": []}]
    assert set(post["responses"]) == {"202", "400", "401", "409", "413", "415", "422", "429", "500"}
    names = [parameter["name"] for parameter in paths["/api/v1/tasks"]["get"]["parameters"]]
    assert names == ["key", "state", "user", "since", "limit", "cursor"]
    for methods in paths.values():
        for operation in methods.values():
            for status, said in operation["responses"].items():
                (kind,) = said["content"]
                assert kind == ("application/json" if status < "300" else "application/problem+json")


@pytest.mark.django_db
def test_answers_are_as_the_document_says(dialer: Dialer, people: People) -> None:
    schemas.ItemOut.model_validate(dialer.post(call(people.rep)), strict=True)
    told = answer(loaded(ReceivedTask.objects.all()).get())
    assert set(told) == set(schemas.TaskOut.model_fields)
    schemas.TaskOut.model_validate(told, strict=True)


def test_the_page_needs_no_other_site(client: Client) -> None:
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "http://" not in page
    assert "https://" not in page
    assert 'src="/static/ninja/swagger-ui-bundle.js"' in page
