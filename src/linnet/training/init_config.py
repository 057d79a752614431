"""What a fresh run takes from another model, and what of it stays as it is."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Pattern = Annotated[str, StringConstraints(min_length=1)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_as_list)]


class InitConfig(BaseModel):
    """The model that a run starts from.

    Names are those of the parameters, such as `encoder.blocks.0.sub_blocks.0.norm.weight` or `head.bias`. A
    pattern is a name, which stands for all below it too, and may hold `*`, `?` and `[…]`. One pattern alone
    needs no list around it.

    Attributes:
        path: a checkpoint, the output_dir of a run, a bundle that keeps its checkpoint, or a .nemo file.
        include: patterns of what is taken; none takes all.
        exclude: patterns of what is not taken.
        partial: take what fits, although the encoder or the front end differs.
        keep_known_labels: where the vocabulary differs, take the rows of the head whose labels are in both.
        freeze: patterns of what is not trained. A module that is frozen as a whole also runs as in
            evaluation: without dropout, and its batch norms keep their statistics.
        unfreeze_batchnorm: batch norms and squeeze-and-excitation are trained even where `freeze` names them.
        unfreeze_after_steps: steps after which everything is trained but for `keep_frozen`; None never.
        keep_frozen: patterns of what is never trained, such as the feature encoder of wav2vec 2.0.
    """

    MAIN_KEY: ClassVar = "path"
    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1)
    include: Patterns = ()
    exclude: Patterns = ()
    partial: bool = False
    keep_known_labels: bool = True
    freeze: Patterns = ()
    unfreeze_batchnorm: bool = False
    keep_frozen: Patterns = ()
    unfreeze_after_steps: int | None = Field(default=None, ge=1)
