"""English as it is said: every kind of number, sign and abbreviation in the tables."""

import pytest

from linnet.text.english import ABBREVIATIONS, CURRENCIES, FRACTIONS, SYMBOLS, UNITS, english


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("5 items", "five items"),
        ("105", "one hundred and five"),
        ("1,234", "one thousand two hundred and thirty four"),
        ("1,234.5", "one thousand two hundred and thirty four point five"),
        ("12,34", "twelve thirty four"),
        ("007", "zero zero seven"),
        ("0", "zero"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
        ("in 1984", "in nineteen eighty four"),
        ("1900", "nineteen hundred"),
        ("1,984", "one thousand nine hundred and eighty four"),
        ("2005", "two thousand and five"),
        ("2024", "twenty twenty four"),
        ("1980s", "nineteen eighties"),
        ("the '90s", "the nineties"),
        ("1st 22nd 3RD", "first twenty second third"),
        ("3.14", "three point one four"),
        ("1.5.2", "one point five point two"),
        ("-5", "minus five"),
        ("twenty-5", "twenty five"),
        ("3:30 or 3:05 or 12:00", "three thirty or three oh five or twelve o'clock"),
        ("25:61", "twenty five sixty one"),
        ("½ of 3½", "one half of three and one half"),
        ("3/4 of 2 1/2", "three quarters of two and one half"),
        ("1/2/2020 and 11/2", "one two twenty twenty and eleven two"),
        ("b2b, mp3", "b two b mp three"),
        ("٣ and ３", "three and three"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert english(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1", "one dollar"),
        ("$5.50", "five dollars and fifty cents"),
        ("$0.01", "one cent"),
        ("$2.00", "two dollars"),
        ("-$3", "minus three dollars"),
        ("£1,000.05", "one thousand pounds and five pence"),
        ("€2.5 million", "two point five million euros"),
        ("$1.125", "one point one two five dollars"),
        ("5%", "five percent"),
        ("1 kg, 2kg, 1.5 kg", "one kilogram two kilograms one point five kilograms"),
        ("20°C", "twenty degrees celsius"),
        ("100 km/h", "one hundred kilometers per hour"),
        ("5 kgs", "five kgs"),
        ("R&D + a@b = c", "r and d plus a at b equals c"),
        ("Mr. and Mrs. Dr", "mister and missus doctor"),
        ("don't rock 'n' roll", "don't rock n roll"),
        ("Straße, Москва", "straße москва"),
    ],
)
def test_signs_units_and_abbreviations(text: str, expected: str) -> None:
    assert english(text) == expected


def test_every_entry_of_the_tables_is_said_in_letters() -> None:
    spoken = [
        *(english(f"a {sign} b") for sign in SYMBOLS),
        *(english(short) for short in ABBREVIATIONS),
        *(english(f"{sign}1.01 {sign}3.02") for sign in CURRENCIES),
        *(english(f"1 {unit} 2{unit}") for unit in UNITS),
        *(english(fraction) for fraction in FRACTIONS),
    ]
    assert [text for text in spoken if not text.replace(" ", "").isalpha()] == []
    assert english("1 ft 2ft") == "one foot two feet"
    assert {english(short) for short in ABBREVIATIONS} == set(ABBREVIATIONS.values())


def test_long_strings_of_digits_are_said_and_do_not_hang() -> None:
    assert english("1" * 5000) == " ".join(["one"] * 5000)
    assert english("1" * 5000 + "th").count("one") == 5000
    assert english("$" + "1" * 5000).count("one") == 5000
