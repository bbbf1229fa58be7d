"""Words that stand in almost every English message: a keyword rule on one stops nearly all mail."""

# Articles, pronouns, auxiliaries, prepositions, greetings, and what offices write every day; each word folded.
_WORDS = """
about after again all also always an and another any are as ask at attached available back be because been before
below best between both but by call calls can cheers come contact could date day days dear did do does done down
each email emails every few find first for forward friday from get give go good great had has have he hello help her
here hey hi him his hope how however if in info information into is it its just kind kindly know last let like look
looking mail make many may me meet meeting meetings message monday more morning most much must my name need new next
no not now of off on one only or other our out over please question questions re read regarding regards reply same
see send sent shall she should since sincerely so some soon still such take team thank thanks that the their them
then there these they this those through thursday time to today tomorrow too tuesday two under until up update us
use very via want was we wednesday week well were what when where which while who why will with within would yes
yesterday yet you your yours
"""
COMMON_WORDS = frozenset(_WORDS.split())
SHORTEST_PREFIX = 3  # letters; a shorter beginning has some word in almost every message


def common_word(match: str) -> str:
    """Return the common word that a keyword rule would stop, or "" when there is none.

    `match` is `Rule.match` of a keyword: of phrases no word counts by itself, of a prefix the part before its "*".
    """
    word = match.removesuffix("*")
    return word if word in COMMON_WORDS else ""


def is_short_prefix(match: str) -> bool:
    """Whether `match` (as in `common_word`) is a prefix of fewer than SHORTEST_PREFIX letters or digits."""
    return match.endswith("*") and sum(map(str.isalnum, match)) < SHORTEST_PREFIX


def stops_nearly_all(match: str) -> bool:
    """Whether a keyword rule stops nearly all mail, also when signatures and quoted text are left out."""
    return bool(common_word(match)) or is_short_prefix(match)
