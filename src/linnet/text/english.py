"""The normalizer "english": numbers, currency, symbols and common abbreviations said as words."""

import re
from collections.abc import Callable

from linnet.text.basic import basic, fold
from linnet.text.number_words import MAX_NUMBER_DIGITS, ascii_digits, cardinal, one_by_one, say

# What each sign is read as; all others become spaces.
SYMBOLS = {"&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "°": "degrees"}

# Said in full wherever they stand, with or without a full stop. Left out because they are ambiguous: "st"
# (saint, street), "no" (number, no), "co", "in", "am".
ABBREVIATIONS = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "prof": "professor",
    "jr": "junior",
    "sr": "senior",
    "vs": "versus",
    "etc": "et cetera",
    "approx": "approximately",
    "dept": "department",
    "ltd": "limited",
}

# sign: (one, several, one hundredth, several hundredths)
CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}

# Only behind a number: (one, several).
UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "ft": ("foot", "feet"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "hz": ("hertz", "hertz"),
    "khz": ("kilohertz", "kilohertz"),
    "°c": ("degree celsius", "degrees celsius"),
    "°f": ("degree fahrenheit", "degrees fahrenheit"),
    "°": ("degree", "degrees"),
}

FRACTIONS = {
    "1/2": "one half",
    "1/3": "one third",
    "2/3": "two thirds",
    "1/4": "one quarter",
    "3/4": "three quarters",
    "1/8": "one eighth",
}


def english(text: str) -> str:
    """Say what is written in digits and signs, then do as `basic` does.

    1100 to 1999 and 2010 to 2099 without a comma are said as years; other numbers as cardinals; digits behind
    a leading zero one by one. Letters of other languages stay, for the tokenizer to name.

    Raises:
        MissingDependencyError: when a number has to be said and num2words is not installed.
    """
    said = fold(_BEFORE_FRACTION.sub(" and ", text)).replace("\u00ad", "")
    if any(map(str.isdecimal, said)):
        said = ascii_digits(said)
        for pattern, speak in _NUMBER_RULES:
            said = pattern.sub(speak, said)
    words = basic(said.translate(_SPOKEN_SYMBOLS)).split()
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def _money(match: re.Match[str]) -> str:
    one, several, one_part, several_parts = CURRENCIES[match["sign"]]
    whole, parts, scale = match["number"].replace(",", ""), match["decimals"], match["scale"]
    if scale or (parts and len(parts) != 2):
        return f" {_decimal(whole, parts)} {scale or ''} {several} "
    said = f" {_number(whole)} {one if whole == '1' else several} "
    if not parts or parts == "00":
        return said
    said_parts = f" {cardinal(parts.lstrip('0'), 'en')} {one_part if parts == '01' else several_parts} "
    return said_parts if whole == "0" else f"{said} and {said_parts}"


def _fraction(match: re.Match[str]) -> str:
    return f" {FRACTIONS[match[0].replace('⁄', '/')]} "


def _measure(match: re.Match[str]) -> str:
    one, several = UNITS[match["unit"]]
    number, decimals = match["number"].replace(",", ""), match["decimals"]
    return f" {_decimal(number, decimals)} {one if number == '1' and not decimals else several} "


def _clock(match: re.Match[str]) -> str:
    hours, minutes = match["hours"], match["minutes"]
    if minutes == "00":
        said = "o'clock"
    elif minutes[0] == "0":
        said = f"oh {cardinal(minutes[1], 'en')}"
    else:
        said = cardinal(minutes, "en")
    return f" {say(int(hours), 'en', 'cardinal')} {said} "


def _ordinal(match: re.Match[str]) -> str:
    digits = match["number"]
    is_code = len(digits) > MAX_NUMBER_DIGITS
    return f" {cardinal(digits, 'en') if is_code else say(int(digits), 'en', 'ordinal')} "


def _decade(match: re.Match[str]) -> str:
    said = _number(match["number"])
    return f" {said[:-1]}ies " if said.endswith("y") else f" {said}s "


def _dotted(match: re.Match[str]) -> str:
    first, *others = match[0].split(".")
    whole = cardinal(first.replace(",", ""), "en") if "," in first or others else _number(first)
    return " ".join(("", whole, *(f"point {one_by_one(digits, 'en')}" for digits in others), ""))


def _decimal(number: str, decimals: str | None) -> str:
    """Say a number with its decimals one by one."""
    return f"{_number(number)} point {one_by_one(decimals, 'en')}" if decimals else _number(number)


def _number(digits: str) -> str:
    """Say digits, as a year where that is how they are read."""
    if len(digits) == 4 and (1100 <= int(digits) < 2000 or 2010 <= int(digits) < 2100):
        return say(int(digits), "en", "year")
    return cardinal(digits, "en")


_START = r"(?<!\d)(?<!\d,)"  # of a number; also keeps the search linear in long strings of digits
_AMOUNT = r"(?P<number>\d{1,3}(?:,\d{3})+(?!\d)|\d++)(?:\.(?P<decimals>\d++))?"
_SIGNS = "".join(CURRENCIES)
_UNIT_NAMES = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_SCALES = r"(?:\s(?P<scale>thousand|million|billion|trillion)\b)?"
_BEFORE_FRACTION = re.compile(r"(?<=\d)\s?(?=[½⅓⅔¼¾⅛])|(?<=\d)\s(?=[1-7]/[2-8](?![\d/]))")
_FRACTION_NAMES = "|".join(FRACTIONS).replace("/", "[/⁄]")  # Unicode makes 1⁄2 of ½

# In this order: each takes what the later ones would read otherwise.
_NUMBER_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"(?<!\w)[-−](?=[{_SIGNS}]?\d)"), lambda match: " minus "),
    (re.compile(rf"(?P<sign>[{_SIGNS}])\s?{_AMOUNT}{_SCALES}"), _money),
    (re.compile(rf"(?<![\d/])(?:{_FRACTION_NAMES})(?![\d/])"), _fraction),
    (re.compile(rf"{_START}{_AMOUNT}\s?(?P<unit>{_UNIT_NAMES})(?!\w)"), _measure),
    (re.compile(r"(?<![\d:.,])(?P<hours>[01]?\d|2[0-3]):(?P<minutes>[0-5]\d)(?![\d:])"), _clock),
    (re.compile(r"(?<!\w)(?P<number>\d++)(?:st|nd|rd|th)(?!\w)"), _ordinal),
    (re.compile(r"(?<![\w.,])(?P<number>[12]\d\d0|[1-9]0)'?s(?!\w)"), _decade),
    (re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d++)(?:\.\d++)*"), _dotted),
)
_SPOKEN_SYMBOLS = {ord(sign): f" {word} " for sign, word in SYMBOLS.items()}
