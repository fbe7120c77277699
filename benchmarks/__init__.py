"""Speed of the service beside other ways to serve the same model: ``python -m benchmarks``.

All servers run the same two ONNX graphs and give the same answers, on the cores that the load generator uses too. They
take turns, and all but one are paused. Ratios compare rates of the same round.
"""
