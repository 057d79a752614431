"""What a beam search works on: the tables it reads, and the arena of prefixes that it fills."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.decoding.hotwords import HotwordTables
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
NUM_NODES, FRAME, NUM_BEAM, NUM_COMMITTED, WAS_BLANK = range(5)
NUM_COUNTERS = 5

# One prefix.
NODE = np.dtype(
    [
        ("ratio", np.float64),  # the factor on alignments that come from the parent
        ("worth", np.float64),  # the logarithm of all ratios on the way from the root
        ("ahead", np.float64),  # the part of `worth` that only anticipates the word under way
        ("lm", np.float64),  # the sum of the LM's natural log-probs, unweighted
        ("closing", np.float64),  # the largest factor that ending the word under way can bring
        ("seen", np.int64),  # the last frame in whose beam it was
        ("slot", np.int32),  # its place in the beam of the frame `seen`
        ("parent", np.int32),
        ("token", np.int32),  # that it adds to its parent; -1 at the start of an utterance
        ("child", np.int32),  # the latest node that is longer by one token, 0 for none
        ("sibling", np.int32),  # the node that was its parent's `child` before it, 0 for none
        ("lexicon", np.int32),  # the node of the lexicon of the word under way, 0 between words, -1 outside
        ("hot", np.int32),  # the state of the hotword automaton
        ("state", np.int32),  # the node whose row holds the state of the language model
    ]
)
MASSES = np.dtype([("blank", np.float64), ("full", np.float64), ("node", np.int64)])


class TokenTables(NamedTuple):
    """The text of every token.

    Attributes:
        offsets: (V + 1,): token t writes `text[offsets[t]:offsets[t + 1]]`; the blank writes nothing.
        text: UTF-8, with a space for each word boundary.
        begins: (V,) whether the text begins with a space, which ends the word before.
        words: (V,) ids in a token LM; unused otherwise.
        promises: (V,) the largest factor that the token can bring, the word before and what hotwords are
            worth so far aside.
    """

    offsets: Int32
    text: NDArray[np.uint8]
    begins: NDArray[np.bool_]
    words: Int32
    promises: Float64


class Weights(NamedTuple):
    """The numbers of a search; logarithms are natural.

    Attributes:
        mode: NO_LM, WORD_LM or TOKEN_LM.
        alpha: factor on log-probs of the language model.
        beta: bonus for each word (each token with TOKEN_LM).
        unknown: added to the language model's score of a word it does not know.
        outside: the look-ahead of a word that no word of the lexicon begins with: `unknown`, and what the
            language model says without context. Were it less, words would run together to evade their score.
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
    outside: float
    beam: int
    top_tokens: int
    min_token: float
    margin: float
    blank_only: float


class Arena(NamedTuple):
    """The prefix tree and the beam.

    Attributes:
        nodes: the tree, of `NODE`; the root is the first. Behind the tree lie, within a frame, the prefixes
            that may join it.
        words, backoffs, lengths: (nodes, order - 1) twice and (nodes,): the states of the language model
            (`lm.scoring.State`) in the rows of the nodes that a word was finished by.
        beam: of `MASSES`: the prefixes kept.
        candidates: of `MASSES`: those of the frame under way.
        counters: see NUM_NODES and the following.
        log_scale: (1,) the logarithm of what the masses were divided by.
        committed: tokens that all prefixes share, no longer in the tree.
        phrases: whether each hotword phrase ended in a prefix of the beam.
        top_ids, top_probs: (top_tokens,) the tokens of the frame under way.
        spare: (candidates,) numbers to sort.
    """

    nodes: Records
    words: NDArray[np.uint32]
    backoffs: NDArray[np.float32]
    lengths: Int64
    beam: Records
    candidates: Records
    counters: Int64
    log_scale: Float64
    committed: Int32
    phrases: NDArray[np.bool_]
    top_ids: Int32
    top_probs: Float64
    spare: Float64


class Tables(NamedTuple):
    """All that a search reads and never changes.

    Attributes:
        lexicon: of `lexicon.PLACE`.
        hopes: (states of the hotwords, 2) the largest factor that a token can bring there; behind it, what
            one that begins with a space takes back, before what `promises` says of it.
    """

    tokens: TokenTables
    lexicon: Records
    ngrams: NgramTables
    hotwords: HotwordTables
    hopes: Float64
    weights: Weights
