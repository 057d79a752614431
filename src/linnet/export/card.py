"""The model card of a bundle: what it hears, how it was proved, how it is used."""

from linnet.bundle.front_matter import front_matter
from linnet.bundle.schema import BundleSpec
from linnet.export.proof import FLOAT32_GRAPH, TORCH, Proof

_SOURCES = {TORCH: "the torch model", FLOAT32_GRAPH: "the float32 graph, one recording at a time,"}

_PROOF_KEYS = (
    "recordings",
    "audio_s",
    "alone",
    "batched",
    "long_form",
    "changed_texts",
    "tolerance",
)  # at the card's head


def model_card(spec: BundleSpec, proof: Proof) -> str:
    """Write the card in Markdown, with the front matter that the Hugging Face hub reads."""
    figures = "".join(f"| {name} | {value:g} |\n" for name, value in spec.metrics.items())
    measured = f"\n## Measured\n\n| figure | value |\n|---|---|\n{figures}" if figures else ""
    return f"""{front_matter(spec, proof={key: getattr(proof, key) for key in _PROOF_KEYS})}
# {spec.name}

{spec.description or "A CTC speech recognizer."}

{spec.parameters:,} parameters, {spec.sample_rate_hz} Hz mono audio, one output frame every \
{1000 * spec.frame_shift_s:g} ms, texts normalized by `{spec.normalizer}`. Made with linnet
{spec.created_with}.

```console
linnet transcribe --model DIRECTORY FILE
```
{measured}
## Proof of the export

{_compared(proof)}
{_table(proof)}{_forced(proof)}{_int8(proof)}{_rounding(proof)}"""


def _compared(proof: Proof) -> str:
    return f"""Compared with {_SOURCES.get(proof.source, proof.source)} on {proof.recordings} recordings \
({proof.audio_s:.1f} s), before this bundle was written. Largest difference of a log-probability: one
recording at a time {proof.alone:.1e}, in padded batches {proof.batched:.1e}, joined to a long one and read
in windows {proof.long_form:.1e}. Changed texts: {proof.changed_texts}. Allowed: {proof.tolerance:.0e} and
none."""


def _table(proof: Proof) -> str:
    """Write a line for each graph and way to run it; RTFx is of the network alone, by processor time.

    The source in long-form is compared with itself in one window, the others with it.
    """
    if not proof.rows:
        return ""
    head = (
        "\n| graph | read | difference of a log-probability | changed words | WER | RTFx by CPU time "
        "| MB |\n|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {row.graph} | {row.way} | {row.difference:.1e} | {row.changed_words} | "
        f"{'unknown' if row.wer is None else f'{100 * row.wer:.2f} %'} | {row.rtfx:.0f} | "
        f"{row.size_bytes / 1e6:.2f} |\n"
        for row in proof.rows
    )


def _forced(proof: Proof) -> str:
    if not proof.forced:
        return ""
    return "\n**This export does not agree with its source. It was written because that was forced.**\n"


def _int8(proof: Proof) -> str:
    if proof.int8 is None:
        return ""
    return "\n" + "".join(f"- {line}\n" for line in proof.int8.lines())


def _rounding(proof: Proof) -> str:
    if proof.is_close or not proof.source_rounding:
        return ""
    return f"""
This network multiplies the rounding of float32: from itself in float64 the torch model differs by
{proof.source_rounding:.1e}, the graph by {proof.graph_rounding:.1e}, of which twice the first is allowed.
"""
