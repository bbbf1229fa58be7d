"""Phone numbers in one format, so that a call finds its record however the number was typed."""

import re

import phonenumbers

LEAST_ALIKE = 7  # digits at the end by which a number is taken for another
_NOT_DIGITS = re.compile(r"\D+")


def e164(number: str, region: str) -> str:
    """Return `number` as E.164 (+14155550132), or an empty text when it can't be a phone number.

    `region` (two letters, like US) says how a number without a country code is read. Judged by length and country
    code alone, not by whether the number is in use: new ranges come faster than libphonenumber is updated. An
    extension is dropped.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def digits(number: str) -> str:
    """Return only the digits of `number`, whatever script they are written in."""
    return "".join(str(int(char)) for char in _NOT_DIGITS.sub("", number))


def same_ending(number: str, other_e164: str, least: int = LEAST_ALIKE) -> bool:
    """Whether a number that couldn't be read ends like one that could: a wrong or missing country code.

    At least `least` digits must agree, and all digits of the shorter one but its leading zeros.
    """
    one, other = digits(number).lstrip("0"), digits(other_e164)
    shorter = min(len(one), len(other))
    return shorter >= least and one[-shorter:] == other[-shorter:]
