"""The pictures of the guides, taken from the running demo: `make screenshots` writes docs/images/*.png anew.

The demo is started and ended here; the log-ins are read from what it prints, and used on the page where people log in.
Chromium is the one on the PATH, or named in CHROMIUM.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
# Chromium asks its maker for updates and lists otherwise.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH, NARROW = 1280, 400
MOST_HEIGHT = 860
END_GRACE = 60.0  # seconds in which the demo ends its own children

# Mail to try a rule on: a word that one message is about, and that another one has in its signature alone.
MAILBOX = "\n".join(
    f"From sofia Mon Nov  9 09:0{number}:00 2026\nFrom: {who}\nTo: amara.osei@fernhill.example\n"
    f"Date: Mon, 09 Nov 2026 09:0{number}:00 +0000\nSubject: {subject}\nMessage-ID: <{number}@example>\n\n{body}\n"
    for number, (who, subject, body) in enumerate(
        (
            ("Sofia Marchetti <sofia.marchetti@brightwater.example>", "Rosters", "Two new sites open in spring."),
            (
                "Hannah Lee <hannah.lee@castell.example>",
                "Price list",
                "Could you send it?\n\n-- \nConfidential.",
            ),
            ("Daniel Okonkwo <daniel.okonkwo@nordlys.example>", "Our budget", "The figures are confidential, please."),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Site:
    """A running demo: its address, and e-mail and password by role."""

    url: str
    logins: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: who looks (nobody: empty), at which page, what they do there, and what of the page is shown.

    `of` is the element that the picture ends with; without one it ends with the page or the window.
    """

    file: str
    role: str
    path: str
    do: Callable[[Page], object] = lambda _page: None
    of: str = ""
    width: int = WIDTH
    dark: bool = False
    height: int = MOST_HEIGHT


def open_link(name: str) -> Callable[[Page], object]:
    return lambda page: page.locator("main, #main").get_by_role("link", name=name).first.click()


def switch_team(page: Page) -> None:
    open_link("New Business")(page)
    page.get_by_label("Direction").select_option("inbound")
    page.get_by_role("button", name="Show who changes").click()


def try_rule(page: Page) -> None:
    page.get_by_label("Add keywords").fill("confidential")
    page.get_by_role("button", name="Try", exact=True).click()
    mailbox: FilePayload = {"name": "mail.mbox", "mimeType": "application/mbox", "buffer": MAILBOX.encode()}
    page.get_by_label("Mail that passes today").set_input_files(mailbox)
    page.get_by_role("button", name="Try", exact=True).click()


def prepare_results(page: Page) -> None:
    page.get_by_role("button", name="Prepare CSV").click()
    page.get_by_role("link", name=re.compile("^Download")).wait_for(timeout=60_000)
    page.reload()


def preview_users(page: Page) -> None:
    lines = (
        "email,name,role,team,mail_provider",
        "mina.park@fernhill.example,Mina Park,rep,New Business,gmail",
        "jonas.weber@fernhill.example,Jonas Weber-Lund,rep,New Business,outlook",
    )
    users: FilePayload = {"name": "users.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(users)
    page.get_by_role("button", name="Show what would change").click()


def preview_tasks(page: Page) -> None:
    lines = (
        "Call ID,Agent Email,Number,Direction,Duration,Result,Start Time",
        "dx-20411,amara.osei@fernhill.example,+44 20 7946 0233,outbound,2:05,Connected,2026-11-23T10:15:00+00:00",
        "dx-20412,jonas.weber@fernhill.example,+44 20 7946 0132,inbound,0:48,Connected,2026-11-23T10:31:00+00:00",
        "dx-20413,tom.baker@fernhill.example,020 7946 0871,outbound,0:20,No answer,2026-11-23T10:40:00+00:00",
        "dx-20414,priya.nair@fernhill.example,020 7946 0230,outbound,seven,Connected,2026-11-23T10:52:00+00:00",
    )
    calls: FilePayload = {"name": "calls.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(calls)
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name=re.compile("^Import")).wait_for(timeout=60_000)


def preview_enrolment(page: Page) -> None:
    for name in ("Hannah Lee", "Daniel Okonkwo", "Brightwater Foods"):
        # By keyboard: the bar with the actions lies over the last rows.
        page.get_by_role("row").filter(has_text=name).first.get_by_role("checkbox").press("Space")
    page.get_by_label("Select action to run").select_option(label="Enrol in a play")
    page.get_by_role("button", name="Run").press("Enter")
    page.get_by_label("Play", exact=True).select_option(label="First three weeks")
    page.get_by_role("button", name="Show what would happen").click()


def add_sender(page: Page) -> None:
    """Add a sender with a token, or show the one that another picture added."""
    if not page.get_by_role("link", name="Dialer").count():
        page.get_by_role("link", name="Add a sender").click()
        page.get_by_label("Name").fill("Dialer")
        page.get_by_role("button", name="Add sender").click()
        page.get_by_role("button", name="Issue a token").click()
        page.get_by_role("link", name="I have copied it").click()
    else:
        page.get_by_role("link", name="Dialer").click()


def complete_call(page: Page) -> None:
    page.get_by_role("link", name="Complete Introduce yourself").click()
    page.get_by_label("Duration").fill("4:10")
    page.get_by_label("Result").fill("Connected")
    page.get_by_label("Description").fill("Plans forty shifts a week on paper. Wants to see the roster screens.")


def choose_hannah(page: Page) -> None:
    page.get_by_label(re.compile("^Search by name")).fill("hannah")
    page.get_by_role("button", name="Choose Hannah Lee").click()


def open_hannah(page: Page) -> None:
    page.get_by_role("link", name="Hannah Lee").click()


def log_what_is_refused(page: Page) -> None:
    """Log a call without a result, which the org's validation rule asks for, and open its page once it is refused."""
    open_hannah(page)
    open_link("Log a call")(page)
    page.get_by_label("Subject").fill("Asked who plans the shifts")
    page.get_by_role("button", name="Log the call").click()
    page.get_by_role("link", name="Asked who plans the shifts").first.click()
    page.get_by_text("FIELD_CUSTOM_VALIDATION_EXCEPTION").first.wait_for(timeout=60_000)


MANAGER, ADMIN, REP = "Manager", "Admin", "Rep"
EMAIL, CRM = "/manager/settings/email", "/manager/settings/crm"
PICTURES = (
    Picture("log-in", "", "/accounts/login/", width=720, height=640),
    Picture("dashboard", MANAGER, "/manager/", of=".pb-pictures svg"),
    Picture("tasks", MANAGER, "/manager/sync/task/?state__exact=completed", height=760),
    Picture("refused-task", MANAGER, "/manager/sync/task/?q=Jonas", open_link("Introduce yourself"), height=560),
    Picture("crm-email-sync", MANAGER, f"{EMAIL}/crm-email-sync/"),
    Picture("team", MANAGER, "/manager/teams/team/", open_link("New Business")),
    Picture("switch-a-team", MANAGER, "/manager/teams/team/", switch_team),
    Picture("company-blacklist", MANAGER, f"{EMAIL}/company-blacklist/"),
    Picture("try-a-rule", MANAGER, f"{EMAIL}/company-blacklist/", try_rule),
    Picture("task-sync-log", MANAGER, f"{CRM}/task-sync/", height=620),
    Picture("task-sync-errors", MANAGER, f"{CRM}/task-sync/errors/", of=".pb-errors-list"),
    Picture("task-sync-results", MANAGER, f"{CRM}/task-sync/results/", prepare_results, of="article.pb-card"),
    Picture("users-without-crm-user", MANAGER, "/manager/users/without-crm-user/", height=460),
    Picture("notices", MANAGER, "/notices/", height=480),
    Picture("invite", ADMIN, "/manager/teams/user/", open_link("Jonas Weber"), height=560),
    Picture("import-users", ADMIN, "/manager/teams/user/import/", preview_users, height=640),
    Picture("connection", ADMIN, f"{CRM}/connection/"),
    Picture("disconnect", ADMIN, f"{CRM}/connection/disconnect/", height=400),
    Picture("second-factor-required", ADMIN, "/manager/teams/organisation/", height=600),
    Picture("audit", ADMIN, "/manager/auditlog/logentry/?q=Elena", height=640),
    Picture("play", MANAGER, "/manager/sync/play/", open_link("First three weeks"), height=760),
    Picture("enrol", MANAGER, "/manager/sync/record/", preview_enrolment),
    Picture("who-is-where", MANAGER, "/manager/sync/enrolment/", height=600),
    Picture("import-tasks", MANAGER, "/manager/tasks/import/", preview_tasks, height=660),
    Picture("fields", ADMIN, f"{CRM}/fields/", lambda page: page.get_by_role("button", name="Check now").click()),
    Picture("sender", ADMIN, "/manager/settings/api/", add_sender, of="#tokens"),
    Picture("my-tasks", REP, "/tasks/", height=560),
    Picture("complete-a-task", REP, "/tasks/", complete_call, of=".pb-task"),
    Picture("my-tasks-phone", REP, "/tasks/", width=NARROW, dark=True),
    Picture("log-a-task", REP, "/tasks/new/", choose_hannah, of="#task-form"),
    Picture("find-records", REP, "/records/?q=bri", height=480),
    Picture("record", REP, "/records/", open_hannah, height=760),
    Picture("orphaned-calls", REP, "/orphaned-calls/", height=480),
    Picture("orphaned-call", REP, "/orphaned-calls/", open_link("+44 20 7946 0233"), height=780),
    Picture("my-crm-email-sync", REP, "/settings/email/crm-email-sync/", height=600),
    Picture("my-blacklist", REP, "/settings/email/my-blacklist/"),
    Picture("my-crm", REP, "/settings/crm/", height=700),
    Picture("second-factor", REP, "/settings/profile/", open_link("Set one up"), height=480),
    # Last, because others would show what it leaves behind.
    Picture("why-not-synced", REP, "/records/?q=hannah", log_what_is_refused),
)


@contextmanager
def running_demo() -> Iterator[Site]:
    """Start the demo, and end it with all its processes."""
    command = [sys.executable, "-m", "playbooks.demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as demo:
        try:
            yield _read_site(demo)
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(END_GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(demo.pid, signal.SIGKILL)


def _read_site(demo: "subprocess.Popen[str]") -> Site:
    url, logins = "", {}
    assert demo.stdout
    for line in demo.stdout:
        if found := re.match(r"Open: +(\S+)$", line):
            url = found[1]
        elif url and (found := re.match(r"(\w+) +(\S+@\S+) +(\S+)$", line)):
            logins[found[1]] = (found[2], found[3])
        elif logins:
            return Site(url, logins)
    raise RuntimeError("The demo ended before it said where it is; `make demo` shows why.")


def context_of(browser: Browser, site: Site, picture: Picture) -> BrowserContext:
    context = browser.new_context(
        base_url=site.url,
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.set_default_timeout(30_000)
    return context


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def take(page: Page, picture: Picture) -> int:
    """Take the picture of what the page shows now; return its size in bytes."""
    page.goto(picture.path)
    picture.do(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate("document.activeElement && document.activeElement.blur()")
    if picture.of:
        box = page.locator(picture.of).first.bounding_box()
        assert box, picture.file
        page.set_viewport_size({"width": picture.width, "height": int(box["y"] + box["height"]) + 24})
    data = page.screenshot(path=IMAGES / f"{picture.file}.png", animations="disabled", caret="hide")
    return len(data)


def main() -> None:
    """Take all pictures, or those that are named."""
    wanted = set(sys.argv[1:]) or {picture.file for picture in PICTURES}
    if unknown := wanted - {picture.file for picture in PICTURES}:
        sys.exit(f"No such picture: {', '.join(sorted(unknown))}")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        sys.exit("No chromium on the PATH. Install it (Debian: apt-get install chromium), or name it in CHROMIUM.")
    IMAGES.mkdir(exist_ok=True)
    with running_demo() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for picture in PICTURES:
            if picture.file not in wanted:
                continue
            context = context_of(browser, site, picture)
            page = context.new_page()
            if picture.role:
                log_in(page, *site.logins[picture.role])
            print(f"{picture.file}.png  {take(page, picture) / 1000:.0f} kB", flush=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
