"""Print the texts of the reference models: `python text.py text` and `python text.py unseen`."""

import sys
from collections.abc import Iterator

SYLLABLES = ["la", "rén", "ko", "mi", "tu", "sé", "no", "pa", "vi", "do"]
NUM_WORDS = {"text": 70, "unseen": 90}  # the words from 70 on are unknown to the models
NUM_SENTENCES = {"text": 90, "unseen": 12}


def sentences(name: str) -> Iterator[str]:
    """Yield sentences of words that are as frequent as Zipf has them; every ninth is empty."""
    state = len(name)
    for number in range(NUM_SENTENCES[name]):
        words = []
        for _ in range(number % 9):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            rank = int(NUM_WORDS[name] ** ((state >> 33) % 1000 / 1000))
            words.append(SYLLABLES[rank % 10] + SYLLABLES[rank // 10])
        yield " ".join(words)


if __name__ == "__main__":
    print("\n".join(sentences(sys.argv[1])))
