"""Taking secrets and contents out of texts that are about to be logged or stored. Pure.

The message of an exception is kept only where we know what it says: those of HTTP and CRM libraries hold addresses and
payloads, those of the database the values of a row.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Sequence

REMOVED = "[removed]"
LONGEST = 4000  # characters of one message

_SENSITIVE_NAMES = (
    r"(?:access|refresh|id|csrf|bearer|api|security|auth)?_?-?token|client_?secret|secret(?:_?key)?|(?:encryption|api|"
    r"private|signing)_?keys?|password|passwd|pwd|passphrase|assertion|session_?id|sid|cookie|set-cookie|"
    r"(?:proxy-)?authorization|x-api-key|code_verifier|signature"
)
_CONTENT_NAMES = r"subject|description|body|payload|comments?|content|html_?body|text_?body|error_?message"
# Too common in plain words: contents only as the keys of JSON or of a printed dict.
_CONTENT_KEYS = rf"{_CONTENT_NAMES}|message|(?:first_?|last_?)?name|e-?mails?|phones?|phone_?number|mobile_?phone"
_QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|b'(?:[^'\\]|\\.)*'"""

_PATH = re.compile(r"https?://|(?<![\w.])/")


def _without_query(word: re.Match[str]) -> str:
    path, mark, query = word[0].partition("?")
    return f"{path}?{REMOVED}" if mark and query and _PATH.search(path) else word[0]


# In this order: what is recognised by its own shape first, then by its name. Each takes time in proportion to the text.
_PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), REMOVED),
    # Salesforce: a session id is the org's id and "!"; a refresh token begins with 5Aep.
    (re.compile(r"\b00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?(?:!|%21)[\w.%\-]+"), REMOVED),
    (re.compile(r"\b5Aep[\w.\-]{10,}"), REMOVED),
    # Ours: an API token, a webhook's secret.
    (re.compile(r"\b(?:pbk|whsec)_[\w+/\-]{10,}=*"), REMOVED),
    (re.compile(r"\beyJ[\w\-]{5,}(?:\.[\w\-]*){0,2}"), REMOVED),
    (re.compile(r"\bgAAAA[\w\-]{20,}=*"), REMOVED),
    (re.compile(r"(?<![\w\-])[\w\-]{43}=(?![\w=])"), REMOVED),
    (re.compile(r"\b(Bearer|OAuth|Basic|Token)\s+[\w.~+/!=\-]{8,}", re.IGNORECASE), rf"\1 {REMOVED}"),
    (re.compile(r"(\b[a-z][a-z0-9+.\-]{0,20}://)[^\s/@'\"]*:[^\s/'\"]*@", re.IGNORECASE), rf"\1{REMOVED}@"),
    # What stands behind the question mark: a query in the CRM's language names people.
    (re.compile(r"[^\s\"<>]+"), _without_query),
    (
        re.compile(
            rf"""(['"]?\b(?:\w+_)?(?:{_SENSITIVE_NAMES})\b['"]?\s*(?:[:=]|=>)\s*)(?:{_QUOTED}|(?!\[removed])[^\s,;&)}}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{REMOVED}",
    ),
    (
        re.compile(
            rf"""((?:['"](?:{_CONTENT_KEYS})(?:__c)?['"]\s*:|\b(?:{_CONTENT_NAMES})\s*=)\s*)(?:{_QUOTED}|[^\s,;&)}}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{REMOVED}",
    ),
)

# Whose messages say what happened and quote no value. Subclasses of other modules are not meant.
_PLAIN_ERRORS = frozenset(
    {
        "builtins.AttributeError",
        "builtins.ImportError",
        "builtins.ModuleNotFoundError",
        "builtins.NameError",
        "builtins.NotImplementedError",
        "builtins.RecursionError",
        "builtins.TimeoutError",
        "builtins.TypeError",
        "builtins.UnboundLocalError",
        "django.core.exceptions.AppRegistryNotReady",
        "django.core.exceptions.ImproperlyConfigured",
        "django.core.exceptions.SynchronousOnlyOperation",
        "django.db.utils.InterfaceError",
        "django.db.utils.OperationalError",
        "django_q.exceptions.TimeoutException",
        "sync.errors.CrmError",
        "sync.errors.NotConnectedError",
    }
)
_FRAME = re.compile(r'^\s+File ".*", line \d+')
_ENDING = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?=: |:$|$)")
_FAILED_JOB = re.compile(r"Failed '[\w.]*' \([\w-]*\)")
_BEGINNING = "Traceback (most recent call last):"


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """Return `text` without secrets and named contents; `secrets` are taken out wherever they stand."""
    for secret in secrets:
        text = text.replace(secret, REMOVED)
    if _BEGINNING in text:
        text = "\n".join(_without_messages(text))
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"


def describe(error: BaseException, secrets: Sequence[str] = ()) -> str:
    """Return an exception's class, and its message where that is known to be harmless."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    short = kind.__qualname__ if kind.__module__ == "builtins" else name
    if name not in _PLAIN_ERRORS or not str(error):
        return short
    return f"{short}: {redact(str(error).splitlines()[0], secrets)}"


def describe_traceback(error: BaseException, secrets: Sequence[str] = ()) -> str:
    """Return where it was raised, and what led to it, as Python prints it but with `describe` for each message."""
    parts = []
    for link, heading in _chain(error):
        frames = "".join(traceback.format_tb(link.__traceback__))
        parts.append(f"{heading}{_BEGINNING}\n{frames}{describe(link, secrets)}")
    return "\n".join(parts)


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield the first cause first, each with the line that connects it to the one before."""
    links: list[tuple[BaseException, str]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if current.__cause__ is not None:
            links.append((current, "Which was the cause of:\n"))
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            links.append((current, "While that was handled:\n"))
            current = current.__context__
        else:
            links.append((current, ""))
            current = None
    yield from reversed(links)


def _without_messages(text: str) -> Iterator[str]:
    """Keep of a printed traceback the frames and the names of the exceptions: messages can span any lines."""
    before, _, after = text.partition(_BEGINNING)
    # django-q2 writes "Failed 'job' (name) - message : Traceback …"; the message may hold anything.
    if failed := _FAILED_JOB.match(before):
        yield failed[0]
    lines = after.splitlines()
    for number, line in enumerate(lines):
        if _FRAME.match(line):
            yield line
            if number + 1 < len(lines) and lines[number + 1].startswith("    "):
                yield lines[number + 1]
        elif number and lines[number - 1].startswith("  ") and (ending := _ENDING.match(line)):
            yield ending[0]
