"""Passwords that are long enough and yet tried first: common ones, two of them in a row, the portal's own words.

ASVS 5.0 6.2.4 and 6.2.11. Words of a sentence are none of this: length is what counts (NIST SP 800-63B-4 3.1.1.2).
"""

import gzip
from functools import cache
from pathlib import Path

LIST = Path(__file__).parent / "common_passwords" / "common-passwords.txt.gz"
# What somebody would try at a portal of this kind, in the languages of its pages' first users.
CONTEXT = frozenset(
    "lightbox portal doctor admin hospital clinic radiology radiologist xray medical patient welcome klinik "
    "krankenhaus radiologie arzt röntgen passwort willkommen".split()
)
_FEWEST_LETTERS = 4  # with fewer it is a number, and the list has those


def guessable(password: str) -> bool:
    """Whether the whole of it, or all its letters in a row, are one or two words of the lists."""
    whole = password.casefold()
    letters = "".join(character for character in whole if character.isalpha())
    return _of_the_lists(whole) or (len(letters) >= _FEWEST_LETTERS and _of_the_lists(letters))


def _of_the_lists(text: str) -> bool:
    known = _known()
    return text in known or any(text[:at] in known and text[at:] in known for at in range(1, len(text)))


@cache
def _known() -> frozenset[str]:
    with gzip.open(LIST, "rt", encoding="utf-8") as lines:
        return CONTEXT | frozenset(lines.read().split())
