"""`linnet lm attach`: a language model into a bundle, which is then read with it by default."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, Field

from linnet.cli.config_options import options_from
from linnet.cli.console import print_result, printable


class Chosen(BaseModel):
    """What of `OwnSearch`, whose module loads numpy, is not its default; descriptions are the help."""

    alpha: float | None = Field(default=None, description="Weight of the language model; default: 0.5.")
    beta: float | None = Field(
        default=None, description="Bonus for each word of the language model; default: 1."
    )
    beam: int | None = Field(default=None, description="Texts searched side by side; default: 64.")
    unknown: float | None = Field(default=None, description="Added for each unknown word; default: -10.")
    blank_penalty: float | None = Field(
        default=None, description="Taken from the blank's log-prob in every frame; default: 0."
    )


@options_from(Chosen, "chosen")
def attach(
    lm: Annotated[Path, typer.Argument(help="Packed language model of linnet lm build or import.")],
    bundle: Annotated[Path, typer.Argument(help="Directory of a bundle; its language model is replaced.")],
    *,
    chosen: Chosen,
) -> None:
    """Put a language model into a bundle.

    Whoever transcribes with the bundle then reads with it, where the extra `beam` is installed, and as before
    where it is not or --no-lm is given. `linnet lm tune` finds --alpha and --beta.
    """
    from linnet.bundle.reader import read_bundle
    from linnet.bundle.schema import OwnSearch
    from linnet.bundle.writer import attach_language_model
    from linnet.core.config import check_values
    from linnet.decoding.language_model import token_numbers
    from linnet.lm.packed import PackedModel

    search = check_values(OwnSearch, chosen.model_dump(exclude_none=True), "options")
    model = PackedModel(lm)
    model.check_content()
    if model.header.unit != "word":
        token_numbers(model, read_bundle(bundle).vocabulary)
    attach_language_model(bundle, lm, search)
    size = f"{sum(model.header.num_grams)} n-grams, {lm.stat().st_size / 1e6:.2f} MB"
    weights = " ".join(f"--{name.replace('_', '-')} {value:g}" for name, value in search)
    print_result(printable(f"{bundle} reads with {lm.name} ({size}) at {weights}"))
