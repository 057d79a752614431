"""Russian as it is said, with ё as the field writes it or as it is spelled."""

import pytest

from linnet.text.russian import COUNTED, russian, russian_with_yo


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Ёлка, ещё!", "елка еще"),
        ("за\u0301мок и зо\u0301лото", "замок и золото"),
        ("Мой йод", "мой йод"),
        ("21", "двадцать один"),
        ("1 000 000", "один миллион"),
        ("3,14", "три целых четырнадцать сотых"),
        ("0,123456", "ноль запятая один два три четыре пять шесть"),
        ("007", "ноль ноль семь"),
        ("-7", "минус семь"),
        (
            "1% 2% 5% 11% 21% 112%",
            "один процент два процента пять процентов одиннадцать процентов "
            "двадцать один процент сто двенадцать процентов",
        ),
        ("2,5 км", "две целых пять десятых километра"),
        ("1 руб. и $3", "один рубль и три доллара"),
        ("№ 5", "номер пять"),
        ("слушай radio", "слушай radio"),
        ("їжак і café", "їжак і café"),
    ],
)
def test_russian(text: str, expected: str) -> None:
    assert russian(text) == expected


def test_yo_can_stay() -> None:
    assert russian_with_yo("Ёлка, ещё! Ё\u0301лка") == "ёлка ещё ёлка"


def test_every_counted_word_agrees_with_its_number() -> None:
    for what, (one, few, many) in COUNTED.items():
        said = russian(f"1{what} 3{what} 8{what}")
        assert said == f"один {one} три {few} восемь {many}"


def test_long_strings_of_digits_are_said_and_do_not_hang() -> None:
    assert russian("1" * 5000) == " ".join(["один"] * 5000)
    assert russian("1" * 5000 + ",5 кг").count("один") == 5000
