"""Who is told of users without a CRM user: once for the same users."""

import pytest

from sync import crm_users, jobs, unmatched_users
from sync.enums import FailureMode
from sync.errors import CrmError
from teams import notices
from teams.models import Notice, User
from tests.factories import UserFactory
from tests.people import People, people

__all__ = ["people"]


def told(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).unread().values_list("title", flat=True))


@pytest.fixture
def without(people: People) -> tuple[User, User]:
    """One rep of north and one of no team; those of the fixture have CRM users."""
    return UserFactory.create(team=people.north, name="Nora"), UserFactory.create(team=None, name="Nick")


def test_admins_hear_of_all_and_managers_of_their_teams(people: People, without: tuple[User, User]) -> None:
    assert unmatched_users.tell() == 2
    assert told(people.admin) == ["2 users have no CRM user"]
    assert told(people.manager) == ["1 user has no CRM user"]
    assert (told(people.other_manager), told(people.colleague)) == ([], [])
    notice = Notice.objects.get(user=people.manager)
    assert notice.text == "Nora. Until a CRM user is chosen, the Access User owns their Tasks."
    assert notice.path == "/manager/users/without-crm-user/"


def test_the_same_users_are_told_once_also_when_it_was_read(people: People, without: tuple[User, User]) -> None:
    unmatched_users.tell()
    assert unmatched_users.tell() == 0
    notices.read(people.manager)
    assert unmatched_users.tell() == 0


def test_another_user_is_news_and_takes_the_place_of_the_old_notice(people: People, without: tuple[User, User]) -> None:
    unmatched_users.tell()
    UserFactory.create(team=people.north)
    assert unmatched_users.tell() == 2
    assert told(people.admin) == ["3 users have no CRM user"]
    assert told(people.manager) == ["2 users have no CRM user"]


def test_when_all_have_one_it_is_over(people: People, without: tuple[User, User]) -> None:
    unmatched_users.tell()
    for number, user in enumerate(without):
        user.crm_user_id = f"00500000000000{number}AAA"
        user.save()
    assert unmatched_users.tell() == 0
    assert (told(people.admin), told(people.manager)) == ([], [])


def test_many_are_not_all_named(people: People) -> None:
    for number in range(7):
        UserFactory.create(team=people.south, name=f"R{number}")
    unmatched_users.tell()
    notice = Notice.objects.get(user=people.other_manager)
    assert notice.text.startswith("R0, R1, R2, R3, R4 and 2 more. ")


@pytest.mark.parametrize("fails", [False, True])
def test_each_day_after_a_look_at_the_crm(
    people: People, without: tuple[User, User], monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def match(users: object) -> object:
        if fails:
            raise CrmError(FailureMode.TRANSIENT, "SERVER_UNAVAILABLE", "")
        return crm_users.Report({})

    monkeypatch.setattr("sync.crm_users.why_not_now", lambda now: "")
    monkeypatch.setattr("sync.crm_users.match", match)
    jobs.match_crm_users()
    # Whoever is not found only because the CRM is out of reach is nobody's news.
    assert Notice.objects.count() == (0 if fails else 2)
