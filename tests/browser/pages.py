"""Every page that the site shows, and every address that shows none, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass

from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.models import Adoption, ApiToken, Sender, Task
from teams.models import User
from tests.browser import world as worlds
from tests.browser.world import World
from tests.teams.logging_in import code_now, log_in

Who = Callable[[World], User | Client | None]


def nobody(world: World) -> None:
    """Nobody is logged in."""


def rep(world: World) -> User:
    return world.people.rep


def manager(world: World) -> User:
    return world.people.manager


def admin(world: World) -> User:
    return world.people.admin


def fresh(world: World) -> Client:
    """A rep without a second factor who has just given the password."""
    client = Client()
    log_in(world.people.rep.email, client=client)
    return client


def half_way(world: World) -> Client:
    """Somebody who has given the password and not yet the second factor."""
    client = Client()
    log_in(world.people.colleague.email, client=client)
    return client


def with_second_factor(world: World) -> Client:
    """Somebody who has given the password and the second factor just now."""
    client = half_way(world)
    client.post("/accounts/2fa/authenticate/", {"code": code_now(world.secret)})
    return client


def as_it_is(world: World) -> None:
    """Nothing is prepared."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: the name of its address, who looks at it, what stands in the address, and what was before."""

    name: str
    who: Who = manager
    parts: Callable[[World], dict[str, object]] = lambda _world: {}
    prepare: Callable[[World], None] = as_it_is
    query: str = ""
    status: int = 200
    ends_at: str = ""  # where the browser is led, when it is led on

    def address(self, world: World) -> str:
        return reverse(self.name, kwargs=self.parts(world)) + self.query.format(record=world.record.uuid)


def team(world: World) -> dict[str, object]:
    return {"team": world.people.north.uuid}


def member(world: World) -> dict[str, object]:
    return team(world) | {"user": world.people.rep.uuid}


def open_task(world: World) -> dict[str, object]:
    return {"task": world.open_task.uuid}


def the_record(world: World) -> dict[str, object]:
    return {"record": world.record.uuid}


def orphaned_call(_world: World) -> dict[str, object]:
    return {"task": Task.objects.orphans().latest("pk").uuid}


def adopted_call(_world: World) -> dict[str, object]:
    return {"task": Adoption.objects.latest("pk").task.uuid}


def the_sender(_world: World) -> dict[str, object]:
    return {"sender": Sender.objects.get(name="Dialer").uuid}


def its_token(world: World) -> dict[str, object]:
    return the_sender(world) | {"token": ApiToken.objects.usable(timezone.now())[0].uuid}


def link_of_reset(world: World) -> dict[str, object]:
    user = world.people.rep
    return {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}


def passkey(world: World) -> dict[str, object]:
    return {"pk": world.passkey.pk}


def one_of(thing: str) -> Callable[[World], dict[str, object]]:
    """The admin page of one thing of the world."""
    return lambda world: {"object_id": getattr(world, thing).pk}


PAGES = {
    # Logging in.
    "log in": Shown("account_login", nobody),
    "log out": Shown("account_logout", rep),
    "deactivated": Shown("account_inactive", nobody),
    "reauthenticate": Shown("account_reauthenticate", rep),
    "change the password": Shown("account_change_password", rep),
    "forgotten password": Shown("account_reset_password", nobody),
    "forgotten password, mail sent": Shown("account_reset_password_done", nobody),
    "choose a password": Shown("account_reset_password_from_key", nobody, link_of_reset, ends_at="set-password/"),
    "choose a password, done": Shown("account_reset_password_from_key_done", nobody),
    "single sign-on stopped": Shown("socialaccount_login_cancelled", nobody),
    "second factor": Shown("mfa_index", with_second_factor),
    "second factor asked for": Shown("mfa_authenticate", half_way),
    "authenticator app": Shown("mfa_activate_totp", fresh),
    "authenticator app, remove": Shown("mfa_deactivate_totp", with_second_factor),
    "recovery codes": Shown("mfa_view_recovery_codes", with_second_factor),
    "recovery codes, new": Shown("mfa_generate_recovery_codes", with_second_factor),
    "passkeys": Shown("mfa_list_webauthn", with_second_factor),
    "passkey, new": Shown("mfa_add_webauthn", with_second_factor),
    "passkey, rename": Shown("mfa_edit_webauthn", with_second_factor, passkey),
    "passkey, remove": Shown("mfa_remove_webauthn", with_second_factor, passkey),
    # Everyone's.
    "my tasks": Shown("my_tasks", rep),
    "my tasks, upcoming": Shown("my_tasks", rep, query="?show=upcoming"),
    "my tasks, completed": Shown("my_tasks", rep, query="?show=completed"),
    "my tasks, found nothing": Shown("my_tasks", rep, query="?q=nothing+such"),
    "log a call": Shown("task_new", rep),
    "log an e-mail, search": Shown("task_new", rep, query="?kind=email&q=carla"),
    "complete a task": Shown("task_complete", rep, open_task),
    "correct a task": Shown("task_correct", rep, lambda world: {"task": world.task.uuid}),
    "snooze a task": Shown("task_snooze", rep, open_task),
    "a task": Shown("task", rep, lambda world: {"task": world.task.uuid}),
    "orphaned calls": Shown("orphaned_calls", rep, prepare=worlds.leave_orphans),
    "orphaned calls, adopted": Shown("orphaned_calls", manager, prepare=worlds.leave_orphans, query="?show=adopted"),
    "orphaned calls, none": Shown("orphaned_calls", rep),
    "an orphaned call": Shown("orphaned_call", rep, orphaned_call, worlds.leave_orphans, query="?q=novak"),
    "an adopted call": Shown("orphaned_call", manager, adopted_call, worlds.leave_orphans),
    "find records": Shown("records", rep, prepare=worlds.fill_record),
    "find records, found": Shown("records", rep, prepare=worlds.fill_record, query="?q=carla"),
    "find records, found nothing": Shown("records", rep, query="?q=nothing+such"),
    "a record": Shown("record", rep, the_record, worlds.fill_record),
    "a record, not fetched": Shown("record", rep, the_record, worlds.unfetch_record),
    "a record, log a call": Shown("record_log", rep, lambda w: the_record(w) | {"kind": "call"}, worlds.fill_record),
    "a record, start a play": Shown("record_start_play", rep, the_record, worlds.fill_record),
    "notices": Shown("notices", rep),
    "my notices": Shown("my_notices", manager),
    "profile": Shown("my_profile", rep),
    "my CRM Email Sync": Shown("my_email_sync", rep),
    "My Blacklist": Shown("my_blacklist", rep),
    "My Blacklist, import": Shown("my_blacklist_import", rep),
    "My Blacklist, try": Shown("my_blacklist_try", rep),
    "my CRM": Shown("my_crm", rep),
    # The Manager App.
    "dashboard": Shown("admin:index"),
    "dashboard, connection lost": Shown("admin:index", admin, prepare=worlds.disconnect),
    "application": Shown("admin:app_list", admin, lambda _world: {"app_label": "sync"}),
    "CRM Email Sync": Shown("email_sync"),
    "CRM Email Sync, fill the blacklist first": Shown(
        "email_sync_first", parts=lambda _world: {"direction": "inbound"}
    ),
    "Company Blacklist": Shown("company_blacklist"),
    "Company Blacklist, import": Shown("company_blacklist_import"),
    "Company Blacklist, try": Shown("company_blacklist_try"),
    "connection": Shown("crm_connection", admin),
    "connection, none": Shown("crm_connection", admin, prepare=worlds.forget_connection),
    "connection, lost": Shown("crm_connection", admin, prepare=worlds.disconnect),
    "connection, what came back is no log-in": Shown(
        "crm_connection_callback", admin, query="?code=x&state=x", status=400
    ),
    "fields": Shown("crm_fields", admin, prepare=worlds.look_at_fields),
    "fields, not looked at": Shown("crm_fields", admin),
    "connection, disconnect": Shown("crm_connection_disconnect", admin),
    "connection, review": Shown("crm_connection_review", admin, prepare=worlds.log_in_elsewhere),
    "Task Sync Log": Shown("task_sync"),
    "Task Sync Results": Shown("task_sync_results"),
    "Task Sync errors": Shown("task_sync_errors"),
    "users without a CRM user": Shown("crm_users", admin, prepare=worlds.lose_crm_users),
    "senders": Shown("api_senders", admin, prepare=worlds.add_senders),
    "senders, none": Shown("api_senders", admin),
    "sender": Shown("api_sender", admin, the_sender, worlds.add_senders),
    "sender, new": Shown("api_sender_new", admin),
    "sender, revoke a token": Shown("api_token_revoke", admin, its_token, worlds.add_senders),
    "sender, new webhook secret": Shown("api_webhook_secret", admin, the_sender, worlds.add_senders),
    "teams": Shown("admin:teams_team_changelist"),
    "team, its people": Shown("team", parts=team),
    "team, a user": Shown("team_user", parts=member),
    "team": Shown("admin:teams_team_change", admin, lambda world: {"object_id": world.people.north.pk}),
    "team, new": Shown("admin:teams_team_add", admin),
    "team, delete": Shown("admin:teams_team_delete", admin, lambda world: {"object_id": world.people.north.pk}),
    "teams, import": Shown("admin:teams_team_import", admin),
    "users": Shown("admin:teams_user_changelist"),
    "user": Shown("admin:teams_user_change", admin, lambda world: {"object_id": world.people.rep.pk}),
    "user, new": Shown("admin:teams_user_add", admin),
    "user, password": Shown("admin:auth_user_password_change", admin, lambda world: {"id": world.people.rep.pk}),
    "users, import": Shown("admin:teams_user_import", admin),
    "audit": Shown("admin:auditlog_logentry_changelist", admin),
    "organisation": Shown("admin:teams_organisation_change", admin, lambda _world: {"object_id": 1}),
    "plays": Shown("admin:sync_play_changelist"),
    "play": Shown("admin:sync_play_change", admin, one_of("play")),
    "play, new": Shown("admin:sync_play_add", admin),
    "play, delete": Shown("admin:sync_play_delete", admin, one_of("play"), worlds.take_out_of_plays),
    "play, who is where": Shown("admin:sync_enrolment_changelist", prepare=worlds.enrol_more),
    "enrolment": Shown(
        "admin:sync_enrolment_change",
        parts=lambda world: {"object_id": world.play.enrolments.get(user=world.people.rep).uuid},
        prepare=worlds.enrol_more,
    ),
    "enrol in a play": Shown("plays_enrol", query="?records={record}"),
    "records": Shown("admin:sync_record_changelist"),
    "record": Shown("admin:sync_record_change", parts=one_of("record")),
    "tasks": Shown("admin:sync_task_changelist"),
    "tasks, import": Shown("task_imports", prepare=worlds.check_import),
    "tasks, a file to be imported": Shown(
        "task_import", parts=lambda _world: {"task_import": worlds.IMPORT}, prepare=worlds.check_import
    ),
    "task": Shown("admin:sync_task_change", parts=lambda world: {"object_id": world.task.uuid}),
    "outbox": Shown("admin:sync_outboxrow_changelist"),
    "outbox row": Shown("admin:sync_outboxrow_change", parts=lambda world: {"object_id": world.row.uuid}),
    "troubles": Shown("admin:sync_trouble_changelist", admin),
    "trouble": Shown("admin:sync_trouble_change", admin, one_of("trouble")),
    "schedules": Shown("admin:django_q_schedule_changelist", admin),
    "schedule": Shown("admin:django_q_schedule_change", admin, one_of("schedule")),
    "failed jobs": Shown("admin:django_q_failure_changelist", admin),
    "failed job": Shown("admin:django_q_failure_change", admin, one_of("failure")),
    # What says no.
    "403": Shown("admin:index", rep, status=403),
    "404": Shown("team", parts=lambda world: {"team": world.people.south.uuid}, status=404),
}

_LEADS_ON = "leads on to another address"
_POST = "takes forms alone"
_FILE = "a file"
_OUT = "leads out to who identifies people, or back from there; looked at nowhere"
_NOBODY = "nobody may, from a page; the 403 page answers"

NO_PAGES = {
    "favicon": _FILE,
    "home": _LEADS_ON,
    "logout": _POST,
    "api:openapi-view": "Swagger UI, in its own look: test_api_docs.py",
    **{
        f"api:{name}": "data for programs" for name in ("openapi-json", "api-root", "hand_in", "list_tasks", "get_task")
    },
    "account_signup": "nobody signs up: the 404 page answers",
    "account_set_password": "for who has no password: an invitation leads to choosing one",
    "mfa_reauthenticate": _LEADS_ON,
    "mfa_download_recovery_codes": _FILE,
    "mfa_login_webauthn": "data for the passkey's script",
    "mfa_reauthenticate_webauthn": _LEADS_ON,
    **dict.fromkeys(("google_login", "google_callback", "microsoft_login", "microsoft_callback"), _OUT),
    **dict.fromkeys(("email_sync_switch", "my_email_switch", "team_user_switch", "team_email_sync"), _POST),
    **dict.fromkeys(("company_blacklist_export", "my_blacklist_export", "crm_fields_package"), _FILE),
    **{f"crm_connection_{verb}": _POST for verb in ("check", "start", "accept", "discard")},
    **dict.fromkeys(("crm_fields_check", "crm_fields_as_usual"), _POST),
    "task_import_state": "data for the page's script",
    "task_import_bad_lines": _FILE,
    **{f"task_import_{verb}": _POST for verb in ("columns", "start", "cancel")},
    "task_sync_results_state": "data for the page's script",
    "task_sync_results_file": _FILE,
    **{f"task_sync_results_{verb}": _POST for verb in ("cancel", "again", "delete")},
    "task_sync_errors_retry": _POST,
    **dict.fromkeys(("api_token_issue", "api_webhook_test", "api_webhook_on", "api_webhook_again"), _POST),
    **dict.fromkeys(("task_retry", "task_cancel", "orphaned_call_adopt", "orphaned_call_undo"), _POST),
    **dict.fromkeys(("crm_users_match", "crm_users_choose", "notices_read_all", "notice_read"), _POST),
    **dict.fromkeys(("admin:teams_team_process_import", "admin:teams_user_process_import"), _POST),
    **dict.fromkeys(("admin:teams_user_invite", "admin:sync_task_retry", "admin:sync_task_cancel"), _POST),
    **{f"admin:sync_{name}": _POST for name in ("play_active", "play_duplicate", "enrolment_end")},
    **{f"admin:{name}": _LEADS_ON for name in ("login", "password_change", "password_change_done", "view_on_site")},
    "admin:logout": _POST,
    "task_new_records": "a part of a page, for htmx",
    "record_states": "a part of a page, for htmx",
    "task_state": "a part of a page, for htmx",
    **dict.fromkeys(("record_open", "record_end_play"), _POST),
    **dict.fromkeys(("task_skip", "task_unskip"), _POST),
    **dict.fromkeys(("admin:teams_team_export", "admin:teams_user_export", "admin:auditlog_logentry_export"), _FILE),
    "admin:search": "a part of a page, for the search's script",
    "admin:autocomplete": "data for a field's script",
    "admin:jsi18n": "a script",
    "admin:teams_organisation_changelist": _LEADS_ON,
    "admin:sync_logrow_changelist": _LEADS_ON,
    **{
        f"admin:{model}_history": "leads on to the audit"
        for model in [
            "teams_organisation",
            "teams_team",
            "teams_user",
            "django_q_schedule",
            "django_q_failure",
            "sync_enrolment",
            "sync_outboxrow",
            "sync_play",
            "sync_record",
            "sync_task",
            "sync_trouble",
        ]
    },
    **{
        f"admin:{model}_add": _NOBODY
        for model in [
            "teams_organisation",
            "django_q_schedule",
            "django_q_failure",
            "sync_enrolment",
            "sync_outboxrow",
            "sync_record",
            "sync_task",
            "sync_trouble",
        ]
    },
    **{
        f"admin:{model}_delete": _NOBODY
        for model in [
            "teams_organisation",
            "teams_user",
            "django_q_schedule",
            "django_q_failure",
            "sync_enrolment",
            "sync_outboxrow",
            "sync_record",
            "sync_task",
            "sync_trouble",
        ]
    },
}
