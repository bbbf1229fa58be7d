"""The sandbox's consent page, as a browser reads it."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """What a browser would send for the page's form, and who is offered."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.users: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if tag == "input" and of["type"] == "hidden":
            self.values[str(of["name"])] = str(of["value"])
        if tag == "input" and of["type"] == "radio":
            self.users.append(str(of["value"]))
            if "checked" in of:
                self.values["user_id"] = str(of["value"])
