"""Named, versioned rules that bring text to the form a model is trained and scored on."""

from collections.abc import Callable
from difflib import get_close_matches

from linnet.core.errors import TextError
from linnet.text.basic import basic
from linnet.text.english import english
from linnet.text.russian import russian, russian_with_yo

# A version grows whenever a rule gives another text, so that figures are only compared like with like.
NORMALIZERS = {"none": "1", "basic": "1", "english": "1", "russian": "1", "russian-yo": "1"}

_RULES: dict[str, Callable[[str], str]] = {
    "none": str,
    "basic": basic,
    "english": english,
    "russian": russian,
    "russian-yo": russian_with_yo,
}


def normalize(text: str, name: str) -> str:
    """Bring `text` to the form that the normalizer called `name` describes.

    "none" changes nothing. "basic" applies Unicode NFKC and lower case, keeps letters, marks, digits and the
    apostrophes inside words, and turns all else into single spaces. "english" and "russian" also say numbers
    and symbols in words; "russian" writes е for ё, "russian-yo" leaves ё as it is. Each gives its own output
    back unchanged.

    Raises:
        TextError: when there is no such normalizer.
        MissingDependencyError: when a number has to be said and num2words is not installed.
    """
    normalizer_version(name)
    return _RULES[name](text)


def normalizer_version(name: str) -> str:
    """Return the version of a normalizer, for reports.

    Raises:
        TextError: when there is no such normalizer.
    """
    if name not in NORMALIZERS:
        near = get_close_matches(name, NORMALIZERS, n=1)
        remedy = f"Choose one of {', '.join(NORMALIZERS)}" + (f"; did you mean {near[0]!r}?" if near else "")
        raise TextError(f"there is no text normalizer {name!r}", remedy=remedy)
    return NORMALIZERS[name]
