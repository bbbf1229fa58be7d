"""The form in which a blacklist is filled: two boxes, and what of them may be saved."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from blacklist.csv_files import MAX_BYTES, CsvRules, read
from blacklist.listing import standing_of
from blacklist.review import Review, Standing, review
from blacklist.rules import BadEntry, Parsed, parse_keywords, parse_senders
from teams.models import Organisation, User

MESSAGES = 20  # of one field


def messages_of(bad: Sequence[BadEntry]) -> list[str]:
    """Return each bad entry's own message with its line; of many the first MESSAGES, and how many more there are."""
    texts = [
        _("Line %(line)s: %(message)s") % {"line": entry.line, "message": entry.message}
        if entry.line
        else entry.message
        for entry in bad[:MESSAGES]
    ]
    more = len(bad) - MESSAGES
    if more > 0:
        text = ngettext("And %(more)s more like these.", "And %(more)s more like these.", more)
        texts.append(text % {"more": number_format(more, force_grouping=True)})
    return texts


class RulesForm(forms.Form):
    """Entries as they were typed. After is_valid(): `review` tells what is new, and what needs a second look."""

    senders = forms.CharField(
        label=gettext_lazy("Add domains and addresses"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "One per line, or with commas between them. example.com also stops its sub-domains; =example.com stops "
            "that domain alone."
        ),
    )
    keywords = forms.CharField(
        label=gettext_lazy("Add keywords"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "Whole words or phrases in subject or body, in any case, one per line or with commas between them. nda* "
            "stops every word that begins with nda."
        ),
    )
    ignore_quoted = forms.BooleanField(
        label=gettext_lazy("Leave out signatures, disclaimers and quoted text"),
        required=False,
        help_text=gettext_lazy("For the keywords you add now: what stands only there doesn't stop a message."),
    )

    def __init__(self, *args: Any, owner: User | None, removed: frozenset[UUID] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.removed = removed
        self.review = Review()
        self.standing: list[Standing] = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        senders = parse_senders(cleaned.get("senders") or "", Organisation.load().own_domains)
        keywords = parse_keywords(cleaned.get("keywords") or "", ignore_quoted=cleaned["ignore_quoted"])
        self._refuse("senders", senders)
        self._refuse("keywords", keywords)
        if senders.rules or keywords.rules:
            self.standing = standing_of(self.owner, self.removed)
        self.review = review([senders, keywords], self.standing)
        return cleaned

    def _refuse(self, field: str, parsed: Parsed) -> None:
        for message in messages_of(parsed.bad):
            self.add_error(field, message)


class BlacklistForm(RulesForm):
    """The form of the blacklist's own page: it knows what its reader saw, and what they have confirmed."""

    version = forms.IntegerField(
        min_value=0,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value"),
            gettext_lazy("This form was changed on its way here. Load the page anew."),
        ),
    )
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)


class ImportForm(forms.Form):
    """A CSV file to be imported; after is_valid(), and of bad lines before, `found` tells what is in it."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("What happens to the entries that stand there"),
        widget=forms.RadioSelect,
        choices=[
            ("add", gettext_lazy("They stay; those of the file are added")),
            ("replace", gettext_lazy("They go, unless the file has them, too")),
        ],
        initial="add",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = CsvRules()

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            message = _("The file has more than %(most)s MB. Import it in parts.")
            raise forms.ValidationError(message % {"most": MAX_BYTES // 1_000_000})
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "file" in cleaned:
            try:
                self.found = read(cleaned["file"].read(), Organisation.load().own_domains)
            except forms.ValidationError as error:
                self.add_error("file", error)
        if bad := self.found.bad_lines:
            text = ngettext(
                "%(bad)s line can't be imported, so nothing was. Mend it and choose the file again.",
                "%(bad)s lines can't be imported, so nothing was. Mend them and choose the file again.",
                bad,
            )
            self.add_error("file", text % {"bad": number_format(bad, force_grouping=True)})
        return cleaned
