"""How evenly tokens tell: the bits of each token of a text, by the letters that stand before it.

Run: python benchmarks/token_entropy.py texts.txt TOKENIZER… (folders of `linnet tokenizer train`)

The predictor is that of linnet.text.tevr, over the text itself. Tokens without letters do not count.
"""

import argparse
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from header import print_header

from linnet.text.normalize import normalize
from linnet.text.tevr import letter_surprises
from linnet.text.tokenizer import tokenizer_of
from linnet.text.tokenizer_folder import read_tokenizer_folder
from linnet.text.vocabulary import BOUNDARY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path, help="one text a line")
    parser.add_argument("tokenizers", type=Path, nargs="+")
    options = parser.parse_args()
    texts = options.text.read_text(encoding="utf-8").splitlines()
    print_header(
        "numpy",
        settings=f"{len(texts)} texts",
        measure="bits of a token: mean, standard deviation, and the second divided by the first",
    )
    print(f"{'tokenizer':28s} {'letters':>7s} {'mean':>6s} {'deviation':>9s} {'ratio':>6s}")
    for folder in options.tokenizers:
        print(line_of(folder, texts), flush=True)


def line_of(folder: Path, texts: list[str]) -> str:
    """Measure one tokenizer, and give its line of the table."""
    files = read_tokenizer_folder(folder)
    tokenizer = tokenizer_of(files, str(folder))
    words = Counter(word for text in texts for word in normalize(text, files.about.normalizer).split())
    pieces = tokenizer.vocabulary.pieces
    split = {word: [pieces[each].removeprefix(BOUNDARY) for each in tokenizer.encode(word)] for word in words}
    bits = token_bits(words, split)
    total = sum(bits.values())
    mean = sum(each * count for each, count in bits.items()) / total
    deviation = math.sqrt(sum((each - mean) ** 2 * count for each, count in bits.items()) / total)
    letters = sum(len(word) * count for word, count in words.items()) / total
    return f"{folder.name:28s} {letters:7.2f} {mean:6.2f} {deviation:9.2f} {deviation / mean:6.2f}"


def token_bits(words: Mapping[str, int], split: Mapping[str, list[str]]) -> Counter[float]:
    """Count how many tokens tell how many bits: the sum of those of their letters."""
    surprises = letter_surprises(words)
    bits: Counter[float] = Counter()
    for word, count in words.items():
        start = 0
        for piece in filter(None, split[word]):
            bits[sum(surprises[word][start : start + len(piece)])] += count
            start += len(piece)
    return bits


if __name__ == "__main__":
    main()
