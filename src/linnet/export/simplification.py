"""A graph with all done that onnxruntime would do to it at each load on any machine."""

from pathlib import Path

import onnx
import onnxruntime


def simplify(path: Path) -> None:
    """Fold constants and batch norms of a graph, in its place, so that a session is made much faster.

    What depends on the processor, such as the layout of convolutions, is left to each load. A graph that
    would no longer be plain ONNX stays as it is.
    """
    simplified = path.with_name(f"{path.stem}.simplified.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(simplified)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    content = onnx.load(simplified)
    used = {node.domain for node in content.graph.node}
    if used <= {"", "ai.onnx"}:
        # onnxruntime lists every operator set it knows.
        needed = [each for each in content.opset_import if each.domain in ("", "ai.onnx")]
        del content.opset_import[:]
        content.opset_import.extend(needed)
        onnx.save(content, path)
    simplified.unlink()
