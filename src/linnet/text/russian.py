"""The normalizers "russian" and "russian-yo": numbers and symbols said in words, stress marks left out."""

import re
import unicodedata
from collections.abc import Callable

from linnet.text.basic import basic, fold
from linnet.text.number_words import MAX_NUMBER_DIGITS, ascii_digits, cardinal, one_by_one, say

# What stands behind a number: (один, два, пять). Case other than the nominative is not known from digits.
COUNTED = {
    "%": ("процент", "процента", "процентов"),
    "°": ("градус", "градуса", "градусов"),
    "₽": ("рубль", "рубля", "рублей"),
    "$": ("доллар", "доллара", "долларов"),
    "€": ("евро", "евро", "евро"),
    "км": ("километр", "километра", "километров"),
    "кг": ("килограмм", "килограмма", "килограммов"),
    "руб": ("рубль", "рубля", "рублей"),
}
SYMBOLS = {"%": "процентов", "°": "градусов", "+": "плюс", "=": "равно", "&": "и"}

MAX_SPOKEN_DECIMALS = 4

_STRESS = "\u0300\u0301"
_DIAERESIS = "\u0308"
_MARKED_VOWEL = re.compile(r"([аеиоуыэюя])([\u0300-\u036f]+)")


def russian(text: str) -> str:
    """Say numbers and signs in words, leave out stress marks, write е for ё, and do as `basic` does.

    Numbers are said in the nominative, whatever case the sentence asks for. Letters of other languages stay,
    for the tokenizer to name.

    Raises:
        MissingDependencyError: when a number has to be said and num2words is not installed.
    """
    return _without_marks(_said(text), _STRESS + _DIAERESIS)


def russian_with_yo(text: str) -> str:
    """Do as `russian`, but leave ё as it is written."""
    return _without_marks(_said(text), _STRESS)


def _said(text: str) -> str:
    said = fold(text.replace("№", " номер ")).replace("\u00ad", "")
    if any(map(str.isdecimal, said)):
        said = ascii_digits(said)
        for pattern, speak in _NUMBER_RULES:
            said = pattern.sub(speak, said)
    return basic(said.translate(_SPOKEN_SYMBOLS))


def _without_marks(text: str, unwanted: str) -> str:
    """Take marks off Russian vowels; a diaeresis only off е."""

    def strip(match: re.Match[str]) -> str:
        vowel, marks = match[1], match[2]
        here = unwanted if vowel == "е" else unwanted.replace(_DIAERESIS, "")
        return vowel + "".join(mark for mark in marks if mark not in here)

    return unicodedata.normalize("NFC", _MARKED_VOWEL.sub(strip, unicodedata.normalize("NFD", text)))


def _counted(match: re.Match[str]) -> str:
    number, decimals = match["number"].replace(" ", ""), match["decimals"]
    one, few, many = COUNTED[match["what"] or match["sign"]]
    if decimals:
        return f" {_decimal(number, decimals)} {few} "
    last_two, last = int(number[-2:]), int(number[-1])
    if last_two in range(11, 15) or last not in range(1, 5):
        return f" {cardinal(number, 'ru')} {many} "
    return f" {cardinal(number, 'ru')} {one if last == 1 else few} "


def _plain(match: re.Match[str]) -> str:
    return f" {_decimal(match['number'].replace(' ', ''), match['decimals'])} "


def _decimal(number: str, decimals: str | None) -> str:
    """Say a number: 3,14 → три целых четырнадцать сотых; many decimals one by one."""
    if not decimals:
        return cardinal(number, "ru")
    if len(number) > MAX_NUMBER_DIGITS or len(decimals) > MAX_SPOKEN_DECIMALS:
        return f"{cardinal(number, 'ru')} запятая {one_by_one(decimals, 'ru')}"
    return say(f"{number}.{decimals}", "ru", "cardinal")


_AMOUNT = r"(?P<number>\d{1,3}(?: \d{3})+(?!\d)|\d++)(?:[.,](?P<decimals>\d++))?"
_START = r"(?<!\d)(?<!\d )"  # of a number; also keeps the search linear in long strings of digits
_BEHIND = "|".join(re.escape(what) for what in sorted(COUNTED, key=len, reverse=True))

# In this order: each takes what the later ones would read otherwise.
_NUMBER_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<!\w)[-−](?=[$€]?\d)"), lambda match: " минус "),
    (re.compile(rf"(?P<sign>[$€]){_AMOUNT}(?P<what>)"), _counted),
    (re.compile(rf"{_START}{_AMOUNT}\s?(?P<what>{_BEHIND})(?!\w)"), _counted),
    (re.compile(_AMOUNT), _plain),
)
_SPOKEN_SYMBOLS = {ord(sign): f" {word} " for sign, word in SYMBOLS.items()}
