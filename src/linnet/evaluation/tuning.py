"""The weights of a language model that read a dev set best; the caller computes log-probs once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from linnet.core.arrays import LogProbs
from linnet.decoding.beam import BeamConfig, BeamDecoder
from linnet.decoding.language_model import LanguageModel
from linnet.metrics.error_rate import ErrorCounts, word_errors
from linnet.text.vocabulary import Vocabulary

COARSE_ALPHAS = (0.0, 0.3, 0.6, 1.0, 1.5)
COARSE_BETAS = (-1.0, 0.0, 1.0, 2.0, 4.0)
FINE_ALPHA_STEP, FINE_BETA_STEP = 0.15, 0.5
NUM_TRIALS = len(COARSE_ALPHAS) * len(COARSE_BETAS) + 8

Reader = Callable[[float, float], Sequence[str]]


def search_reader(
    log_probs: Sequence[Sequence[LogProbs]], vocabulary: Vocabulary, model: LanguageModel, config: BeamConfig
) -> Reader:
    """Return what reads utterances, each given by the log-probs of its segments, with two weights.

    The utterances are searched on all cores.
    """
    segments = [each for utterance in log_probs for each in utterance]

    def read(alpha: float, beta: float) -> list[str]:
        decoder = BeamDecoder(vocabulary, config.model_copy(update={"alpha": alpha, "beta": beta}), model)
        texts = iter(decoder.decode_batch(segments))
        return [
            " ".join(vocabulary.decode(next(texts).hypotheses[0].tokens) for _ in utterance).strip()
            for utterance in log_probs
        ]

    return read


@dataclass(frozen=True, slots=True)
class Trial:
    """What two weights gave.

    Attributes:
        alpha: weight of the language model.
        beta: bonus for each of its words.
        words: errors on the dev set.
    """

    alpha: float
    beta: float
    words: ErrorCounts


def try_weights(read: Reader, references: Sequence[str]) -> Iterator[Trial]:
    """Try a coarse grid of weights, then the neighbors of its best.

    Args:
        read: gives the texts of the dev set with these weights, normalized.
        references: what was said, normalized.

    Yields:
        Each trial, as soon as it is done.
    """
    trials = []
    for alpha, beta in product(COARSE_ALPHAS, COARSE_BETAS):
        trials.append(_try(read, references, alpha, beta))
        yield trials[-1]
    center = best_of(trials)
    for alpha_step, beta_step in product((-1, 0, 1), (-1, 0, 1)):
        alpha = center.alpha + alpha_step * FINE_ALPHA_STEP
        if (alpha_step or beta_step) and alpha >= 0:
            yield _try(read, references, alpha, center.beta + beta_step * FINE_BETA_STEP)


def best_of(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the fewest errors; of equal ones that with the smallest weights."""
    return min(trials, key=lambda trial: (trial.words.errors, trial.alpha, abs(trial.beta)))


def _try(read: Reader, references: Sequence[str], alpha: float, beta: float) -> Trial:
    counts = (word_errors(said, heard) for said, heard in zip(references, read(alpha, beta), strict=True))
    return Trial(round(alpha, 4), round(beta, 4), sum(counts, ErrorCounts()))
