"""What bundle.yaml says about an exported model: the contract between training and the runtime."""

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from linnet.features.clock import FrameClock
from linnet.features.config import FrontendConfig
from linnet.text.vocabulary import TokenizerKind

SCHEMA_VERSION: Literal[1] = 1

SPEC_FILE = "bundle.yaml"
MODEL_FILE = "model.onnx"
TOKENS_FILE = "tokens.txt"
CARD_FILE = "README.md"
LM_FILE = "language.lm"  # there only if `linnet lm attach` put it in
CHECKPOINT_FILE = "source.ckpt"  # there only if asked for: what `linnet train init=BUNDLE` starts from
METADATA_KEY = "linnet_bundle"  # in an ONNX file for another program, from which it is imported again
# How the graph was compared; for people and tools, and not among `files`, so that older readers accept it.
PROOF_FILE = "proof.json"
CONTENT_FILES = (MODEL_FILE, TOKENS_FILE, CARD_FILE)  # all but the spec, which holds their checksums

Line = Annotated[str, StringConstraints(max_length=1000)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class About(BaseModel):
    """What a person says of a model that is exported; the descriptions are the help of the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(default="", description="One line on what the model recognizes.")
    language: str = Field(default="en", description="Language tag of what it hears.")
    license: str = Field(default="Apache-2.0", description="SPDX identifier of the weights.")
    min_confidence: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Leave out what lies between two pauses where the mean confidence of its words is lower: "
        "guesses in noise and music; default: 0.",
    )


class OwnSearch(BaseModel):
    """How the model's own language model takes part in the search for a text.

    Attributes:
        alpha: weight of the language model.
        beta: bonus for each word of it.
        beam: texts that are searched side by side.
        unknown: added for each word that the language model does not know (natural log).
        blank_penalty: taken from the blank's log-prob in every frame.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.5, ge=0.0, allow_inf_nan=False)
    beta: float = Field(default=1.0, allow_inf_nan=False)
    beam: int = Field(default=64, ge=1, le=4096)
    unknown: float = Field(default=-10.0, le=0.0, allow_inf_nan=False)
    blank_penalty: float = Field(default=0.0, ge=0.0, le=10.0)


class BundleSpec(BaseModel):
    """The description of one exported CTC model.

    Attributes:
        schema_version: the version of this description.
        name: what the model is called in transcripts and reports.
        description: one line on what it recognizes.
        language: BCP 47 tag of what it hears.
        license: SPDX identifier of the weights.
        sample_rate_hz: the rate of the samples it expects, the same as the front end's.
        frontend: how samples become features.
        normalizer: the text normalizer of its training transcripts.
        vocabulary: what its pieces are: letters, words, bytes …
        subsampling: feature frames for one frame of log-probs.
        blank_id: the id of CTC's blank.
        one_at_a_time: whether padding would change a recording's last frames, as in models that were trained
            without masks, so that recordings may not share a batch.
        confidence_temperature: divides the logit of each word's confidence, so that these tell how often
            words are right; fitted by `linnet evaluate --calibrate`.
        min_confidence: what lies between two pauses is left out where the mean confidence of its words is
            lower, as it is in noise and music; 0 leaves nothing out.
        word_start_shift_s: where words start from where their first token is written, if measured.
        word_end_shift_s: where they end from where their last token is written, if measured.
        search: what is done with the language model in the bundle; None where there is none.
        opset: the ONNX operator set of the model file.
        parameters: how many numbers training learned.
        created_with: the version of linnet that exported it.
        metrics: measured figures by name, such as {"wer fsdd test": 0.021}.
        files: SHA-256 of each content file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    name: ModelName
    description: Line = ""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    license: Line
    sample_rate_hz: int
    frontend: FrontendConfig
    normalizer: Line
    vocabulary: TokenizerKind
    subsampling: int = Field(ge=1, le=1024)
    blank_id: int = Field(ge=1)
    one_at_a_time: bool = False
    confidence_temperature: float = Field(default=1.0, ge=0.01, le=100.0)
    min_confidence: float = Field(default=0.0, ge=0.0, le=1.0)
    word_start_shift_s: float = Field(default=0.0, ge=-2.0, le=2.0)
    word_end_shift_s: float = Field(default=0.0, ge=-2.0, le=2.0)
    search: OwnSearch | None = None
    opset: int = Field(ge=1)
    parameters: int = Field(ge=0)
    created_with: Line
    metrics: dict[Line, float] = {}
    files: dict[Line, Sha256] = {}

    @property
    def frame_shift_s(self) -> float:
        """Seconds from one frame of log-probs to the next."""
        return self.frontend.frame_shift_s * self.subsampling

    @property
    def clock(self) -> FrameClock:
        """When the frames of log-probs are."""
        return replace(
            FrameClock.of(self.frontend, self.subsampling),
            word_start_shift_s=self.word_start_shift_s,
            word_end_shift_s=self.word_end_shift_s,
        )

    @model_validator(mode="after")
    def _check_rates(self) -> Self:
        if self.sample_rate_hz != self.frontend.sample_rate_hz:
            raise ValueError(
                f"sample_rate_hz={self.sample_rate_hz} differs from "
                f"frontend.sample_rate_hz={self.frontend.sample_rate_hz}"
            )
        return self
