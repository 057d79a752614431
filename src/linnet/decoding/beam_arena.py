"""What a beam search works on: the tables it reads, and the arena of prefixes that it fills."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.decoding.hotwords import HotwordTables
from linnet.decoding.lexicon import LexiconTables
from linnet.lm import scoring
from linnet.lm.tables import Tables as NgramTables

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Records = NDArray[np.void]
Float64 = NDArray[np.float64]

SPACE = 32
LN_10 = scoring.LN_10
NO_LM, WORD_LM, TOKEN_LM = 0, 1, 2

# What `Arena.counters` holds.
NUM_NODES, FRAME, NUM_BEAM, NUM_COMMITTED, WAS_BLANK, SIZE = range(6)
NUM_COUNTERS = 6


# One prefix.
NODE = np.dtype(
    [
        ("ratio", np.float64),  # the factor on alignments that come from the parent
        ("worth", np.float64),  # the logarithm of all ratios on the way from the root
        ("ahead", np.float64),  # the part of `worth` that only anticipates the word under way
        ("lm", np.float64),  # the sum of the LM's natural log-probs, unweighted
        ("seen", np.int64),  # the last frame in which it was a candidate
        ("bearing", np.int64),  # the last frame in whose beam it had a child
        ("parent", np.int32),
        ("token", np.int32),  # that it adds to its parent; -1 at the start of an utterance
        ("slot", np.int32),  # its place among the candidates of the frame `seen`
        ("lexicon", np.int32),  # the node of the lexicon of the word under way, 0 between words, -1 outside
        ("hot", np.int32),  # the state of the hotword automaton
        ("num_words", np.int64),  # in its rows of `Arena.words` and `Arena.backoffs`
    ]
)
ENTRY = np.dtype([("key", np.int64), ("node", np.int64)])
MASSES = np.dtype([("blank", np.float64), ("full", np.float64), ("node", np.int64)])


class TokenTables(NamedTuple):
    """The text of every token.

    Attributes:
        offsets: (V + 1,): token t writes `text[offsets[t]:offsets[t + 1]]`; the blank writes nothing.
        text: UTF-8, with a space for each word boundary.
        begins: (V,) whether the text begins with a space, which ends the word before.
        words: (V,) ids in a token LM; unused otherwise.
    """

    offsets: Int32
    text: NDArray[np.uint8]
    begins: NDArray[np.bool_]
    words: Int32


class Weights(NamedTuple):
    """The numbers of a search; logarithms are natural.

    Attributes:
        mode: NO_LM, WORD_LM or TOKEN_LM.
        alpha: factor on log-probs of the language model.
        beta: bonus for each word (each token with TOKEN_LM).
        unknown: added to the language model's score of a word it does not know.
        beam: prefixes kept after each frame.
        top_tokens: tokens looked at in a frame.
        min_token: the smallest probability of a token that is looked at.
        margin: the share of the best prefix's mass that a prefix must have.
        blank_only: a frame whose blank is at least as probable is taken as certain silence.
    """

    mode: int
    alpha: float
    beta: float
    unknown: float
    beam: int
    top_tokens: int
    min_token: float
    margin: float
    blank_only: float


class Arena(NamedTuple):
    """The prefix tree and the beam.

    Attributes:
        nodes: the tree, of `NODE`; the root is the first.
        words, backoffs: (nodes, order - 1) the states of the language model (`lm.scoring.State`).
        table: of `ENTRY`: open addressing from (parent, token) to the node.
        beam: of `MASSES`: the prefixes kept.
        candidates: of `MASSES`: those of the frame under way.
        counters: see NUM_NODES and the following.
        log_scale: (1,) the logarithm of what the masses were divided by.
        committed: tokens that all prefixes share, no longer in the tree.
        phrases: whether each hotword phrase ended in a prefix of the beam.
    """

    nodes: Records
    words: NDArray[np.uint32]
    backoffs: NDArray[np.float32]
    table: Records
    beam: Records
    candidates: Records
    counters: Int64
    log_scale: Float64
    committed: Int32
    phrases: NDArray[np.bool_]


class Tables(NamedTuple):
    """All that a search reads and never changes.

    Attributes:
        hopes: (states of the hotwords,) the largest factor that a token can bring there.
    """

    tokens: TokenTables
    lexicon: LexiconTables
    ngrams: NgramTables
    hotwords: HotwordTables
    hopes: Float64
    weights: Weights
