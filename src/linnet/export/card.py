"""The model card of a bundle: what it hears, how it was proved, how it is used."""

from linnet.bundle.front_matter import front_matter
from linnet.bundle.schema import BundleSpec
from linnet.export.proof import Proof

_PROOF_KEYS = (
    "recordings",
    "audio_s",
    "alone",
    "batched",
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

Compared with the torch model on {proof.recordings} recordings ({proof.audio_s:.1f} s), before this bundle
was written:

| run | largest difference of a log-probability |
|---|---|
| one recording at a time | {proof.alone:.1e} |
| all as one padded batch | {proof.batched:.1e} |

Changed texts: {proof.changed_texts}. Allowed: {proof.tolerance:.0e} and none.
{_rounding(proof)}"""


def _rounding(proof: Proof) -> str:
    if proof.is_close:
        return ""
    return f"""
This network multiplies the rounding of float32: from itself in float64 the torch model differs by
{proof.source_rounding:.1e}, the graph by {proof.graph_rounding:.1e}, of which twice the first is allowed.
"""
