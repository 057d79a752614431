"""Recognition with onnxruntime."""
