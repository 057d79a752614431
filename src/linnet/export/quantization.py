"""The search for an int8 graph that loses little: the best calibration, and the worst layers in float32."""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from linnet.core.errors import ExportError
from linnet.export.comparison import Material, Run, divergence, errors, run
from linnet.export.int8 import GraphInt8
from linnet.export.ranges import METHODS, Method
from linnet.metrics.bootstrap import bootstrap_difference
from linnet.metrics.error_rate import ErrorCounts
from linnet.runtime.session import CtcSession
from linnet.text.normalize import normalize

MAX_WER_LOSS = 0.003  # absolute: 0.3 points
MAX_KEPT = 0.5  # of the layers in float32: with more there is no use in int8
NUM_SENSITIVITY = 8  # recordings that each layer alone is measured on
NUM_SHOWN = 10

Advance = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCost:
    """What one layer in int8, all others in float32, changes: divergence in nats a frame."""

    layer: str
    divergence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """How an int8 graph was found, and what it costs.

    Attributes:
        method: of calibration.
        layers: how many layers could be int8.
        divergence: of the log-probabilities from the float32 graph's by method, all layers in int8, in nats a
            frame.
        kept: those that stay in float32, worst first.
        costs: of all layers by themselves, worst first; empty where no layer had to be kept.
        wer_loss: word error rate of int8 minus that of float32 on the same recordings, 0.003 is 0.3 points.
        low: lower end of its 95 % interval (bootstrap over recordings); NaN where it cannot be estimated.
        high: upper end.
        against: "the texts" where what is said is known; else "the float32 graph", whose texts count as
            right.
        max_wer_loss: what was allowed.
    """

    method: Method
    layers: int
    divergence: Mapping[Method, float] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    costs: tuple[LayerCost, ...] = ()
    wer_loss: float
    low: float
    high: float
    against: str
    max_wer_loss: float = MAX_WER_LOSS

    @property
    def holds(self) -> bool:
        """Whether the loss is allowed."""
        return self.wer_loss <= self.max_wer_loss

    def lines(self) -> list[str]:
        """Say how it went, for people."""
        by_method = ", ".join(f"{name} {value:.2g}" for name, value in self.divergence.items())
        found = [
            f"int8: calibration by {self.method} (nats a frame: {by_method}), "
            f"{self.layers - len(self.kept)} of {self.layers} layers",
            f"int8: word error rate {100 * self.wer_loss:+.2f} points{self._interval()} against "
            f"{self.against}",
        ]
        if self.kept:
            found.append(f"int8: in float32 stay {_listed(self.costs[: len(self.kept)])}")
        return found

    def _interval(self) -> str:
        if math.isnan(self.low):
            return ""
        return f" ({100 * self.low:+.2f} to {100 * self.high:+.2f} in 95 % of drawn test sets)"


def find_int8(
    graph: GraphInt8, path: Path, material: Material, source: Run, *, force: bool, advance: Advance
) -> Quantization:
    """Write the int8 graph that loses at most MAX_WER_LOSS with the fewest layers in float32.

    Args:
        graph: makes int8 graphs.
        path: where the best is written.
        material: the recordings that decide.
        source: the float32 graph on these, each alone.
        force: whether a graph that loses more is taken, with all its layers in int8.
        advance: told what is done next.

    Raises:
        ExportError: when too many layers would have to stay; it lists what they cost.
    """
    if not graph.layers:
        raise ExportError("the graph has no layer that could be int8", remedy="Export it without --int8")
    search = _Search(graph, path, material, source, advance)
    by_method = search.compare_methods()
    best = min(by_method, key=by_method.__getitem__)
    found = replace(search.quantize(best), divergence=by_method)
    if found.holds or force:
        return found
    costs = search.costs(best)
    most = int(MAX_KEPT * len(costs))

    def keep(count: int) -> Quantization:
        kept = tuple(cost.layer for cost in costs[:count])
        return replace(search.quantize(best, kept), divergence=by_method, costs=costs)

    count = bisect_left(range(1, most + 1), True, key=lambda each: keep(each).holds) + 1
    if count > most:
        raise ExportError(
            f"int8 loses {100 * found.wer_loss:.2f} points of word error rate (allowed "
            f"{100 * MAX_WER_LOSS:.1f}), and still too much with {most} of {len(costs)} layers in float32; "
            f"the worst, in nats a frame: {_listed(costs)}",
            remedy="Calibrate on more audio of the kind it will hear (--calibrate), or take it as it is with "
            "--force",
        )
    return keep(count)


class _Search:
    """Writes one int8 graph after another to the same path, and compares each with the float32 graph."""

    def __init__(
        self, graph: GraphInt8, path: Path, material: Material, source: Run, advance: Advance
    ) -> None:
        self.graph, self.path, self.material, self.source, self.advance = (
            graph,
            path,
            material,
            source,
            advance,
        )
        normalizer = material.reader.normalizer
        self.references = material.references or tuple(normalize(text, normalizer) for text in source.texts)
        self.before = errors(source, self.references, normalizer)

    def compare_methods(self) -> dict[Method, float]:
        """Give the divergence that each calibration method leads to, with all layers in int8."""
        found: dict[Method, float] = {}
        for method in METHODS:
            self.advance(f"calibrating by {method}")
            self.graph.write(self.path, method)
            found[method] = divergence(self.source, self._run(self.material))
        return found

    def quantize(self, method: Method, kept: tuple[str, ...] = ()) -> Quantization:
        """Write the graph with all layers but `kept` in int8, and say what it loses."""
        self.advance(f"{len(self.graph.layers) - len(kept)} of {len(self.graph.layers)} layers in int8")
        self.graph.write(self.path, method, kept=kept)
        after = errors(self._run(self.material), self.references, self.material.reader.normalizer)
        low, high = bootstrap_difference(self.before, after)
        return Quantization(
            method=method,
            layers=len(self.graph.layers),
            kept=kept,
            wer_loss=sum(after, ErrorCounts()).rate - sum(self.before, ErrorCounts()).rate,
            low=low,
            high=high,
            against="the texts" if self.material.references else "the float32 graph",
        )

    def costs(self, method: Method) -> tuple[LayerCost, ...]:
        """Quantize each layer alone and run it on a few recordings; worst first."""
        few = replace(self.material, features=self.material.features[:NUM_SENSITIVITY])
        expected = replace(self.source, log_probs=self.source.log_probs[:NUM_SENSITIVITY])
        found = []
        for number, layer in enumerate(self.graph.layers, start=1):
            self.advance(f"measuring layer {number} of {len(self.graph.layers)}")
            self.graph.write(self.path, method, only=layer)
            found.append(LayerCost(layer=layer, divergence=divergence(expected, self._run(few))))
        return tuple(sorted(found, key=lambda cost: -cost.divergence))

    def _run(self, material: Material) -> Run:
        return run(CtcSession(self.path).log_probs, material)


def _listed(costs: Sequence[LayerCost]) -> str:
    shown = ", ".join(f"{cost.layer} {cost.divergence:.2g}" for cost in costs[:NUM_SHOWN])
    return f"{shown} and {len(costs) - NUM_SHOWN} more" if len(costs) > NUM_SHOWN else shown
