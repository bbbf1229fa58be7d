"""Hundreds of requests made from the OpenAPI document, sensible ones and others: each is answered as it says."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from sync.api.site import api
from tests.factories import RecordFactory, the_connection
from tests.people import People
from tests.sync.api.conftest import call, dialer_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

USER = "rosa@example.com"
# What a document can't say: who is a user, which plays there are, what is a phone number or a day.
NOT_IN_THE_DOCUMENT = {
    *("unknown", "malformed", "naive", "future", "too_early", "not_a_call", "not_an_email", "nul", "surrogate"),
    *("other_object", "cases_off", "key_conflict", "ambiguous", "out_of_range", "same", "two_people", "no_person"),
}


document = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))


@pytest.fixture
def authorised(people: People, settings: Any) -> dict[str, str]:
    """The headers of a sender with two tasks."""
    settings.API_REQUESTS_PER_MINUTE = settings.API_TASKS_PER_MINUTE = 1_000_000
    the_connection()
    dialer = dialer_of()
    dialer.post([call(people.rep, "1"), call(people.rep, "2", record=RecordFactory.create().crm_id)])
    return {"Authorization": f"Bearer {dialer.text}"}


@document.parametrize()
@settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_everything_is_answered_as_the_document_says(case: Any, live_server: Any, authorised: dict[str, str]) -> None:
    # Some of its checks send requests of their own.
    case.operation.base_url = live_server.url
    is_valid = case.meta.generation.mode == GenerationMode.POSITIVE
    items = case.body if isinstance(case.body, list) else [case.body]
    if is_valid:
        for item in items:
            if isinstance(item, dict):
                item["user"] = USER
    is_list = isinstance(case.body, list)
    # A list is taken but for the items that are wrong.
    own_checks = [positive_data_acceptance, *([negative_data_rejection] if is_list else [])]
    answer = case.call_and_validate(headers=authorised, excluded_checks=own_checks)
    if is_valid:
        assert refused(answer) <= NOT_IN_THE_DOCUMENT | missing(case), answer.content
    elif is_list and answer.status_code == 202:
        assert refused(answer), "one of the items is wrong"


def refused(answer: Any) -> set[str]:
    """The codes of what was wrong."""
    told = answer.json()
    items = told if isinstance(told, list) else [told]
    return {error["code"] for item in items for error in item.get("errors", [])}


def missing(case: Any) -> set[str]:
    return {"required"} if case.method == "POST" else set()
