"""What the demo's people have chosen already: CRM Email Sync and blacklists, through the doors of the pages."""

from blacklist import saving
from blacklist.rules import parse_keywords, parse_senders
from playbooks import own_domains
from playbooks.demo.company import (
    COMPANY_KEYWORDS,
    COMPANY_QUOTED_KEYWORDS,
    COMPANY_SENDERS,
    MY_KEYWORDS,
    MY_SENDERS,
    OWN_DOMAIN,
)
from playbooks.own_domains import Internal
from teams.models import EmailDirection, Organisation, SwitchChoice, User
from teams.switching import switch_organisation, switch_user


def choose(users: dict[str, User]) -> None:
    """Let the manager switch CRM Email Sync on and fill the Company Blacklist, and two reps narrow it for themselves.

    Priya's mailbox is an SMTP one, which can't be synced: nobody chooses anything for her.
    """
    elena, amara, jonas = users["Elena Rossi"], users["Amara Osei"], users["Jonas Weber"]
    organisation = Organisation.load()
    own_domains.save(Internal((OWN_DOMAIN,), skip=True), seen=Internal.of(organisation))
    _fill(None, elena, COMPANY_SENDERS, COMPANY_KEYWORDS, COMPANY_QUOTED_KEYWORDS)
    for direction in (EmailDirection.OUTBOUND, EmailDirection.INBOUND):
        switch_organisation(elena, direction, SwitchChoice.ON, seen=0)
    switch_user(jonas, jonas, EmailDirection.INBOUND, SwitchChoice.OFF, seen=0)
    _fill(amara, amara, MY_SENDERS, MY_KEYWORDS)


def _fill(owner: User | None, actor: User, senders: str, keywords: str, quoted: str = "") -> None:
    parsed = (
        parse_senders(senders, [OWN_DOMAIN]),
        parse_keywords(keywords),
        parse_keywords(quoted, ignore_quoted=True),
    )
    if bad := [entry.message for part in parsed for entry in part.bad]:
        raise RuntimeError(f"entries of the demo that can't be saved: {bad}")
    added = [rule for part in parsed for rule in part.rules]
    saving.save(owner, 0, saving.Change(added=added), actor=actor)
