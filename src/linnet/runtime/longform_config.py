"""What can be chosen about the segments of a recording, and about reading long ones."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_CHUNK_S = 3600.0


class SegmentConfig(BaseModel):
    """Where a segment of a recording ends.

    Attributes:
        pause_s: silence that ends a segment.
        max_segment_s: a segment without such a pause is cut between two words before this.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pause_s: float = Field(default=1.0, ge=0.2, le=60.0)
    max_segment_s: float = Field(default=30.0, ge=2.0, le=600.0)

    @model_validator(mode="after")
    def _check_pause(self) -> Self:
        if self.pause_s > self.max_segment_s / 2:
            raise ValueError(
                f"pause_s={self.pause_s:g} is more than half of max_segment_s={self.max_segment_s:g}; "
                "take a shorter pause or longer segments"
            )
        return self


class LongFormConfig(SegmentConfig):
    """How a recording is read that is too long for one run of the network.

    Attributes:
        chunk_s: what goes through the network at once; up to this a recording is read whole.
        overlap_s: what two neighbors share; they are joined where both hear a pause in the middle of it.
        statistics_s: features are normalized by the statistics of at least so much from the start, which is
            read ahead, and of all that was heard: a recording up to this length as if it were read whole.
    """

    chunk_s: float = Field(
        default=30.0,
        ge=2.0,
        le=MAX_CHUNK_S,
        description="Seconds that go through the network at once; default: 30.",
    )
    overlap_s: float = Field(
        default=8.0, ge=0.5, le=600.0, description="Seconds that two neighbors share; default: 8."
    )
    statistics_s: float = Field(default=600.0, ge=0.0, le=3600.0)

    @model_validator(mode="after")
    def _check_overlap(self) -> Self:
        if self.overlap_s > self.chunk_s / 2:
            raise ValueError(
                f"overlap_s={self.overlap_s:g} is more than half of chunk_s={self.chunk_s:g}; "
                "take a longer chunk or a shorter overlap"
            )
        return self
