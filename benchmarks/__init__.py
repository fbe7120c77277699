"""How fast the service answers, beside other ways to serve the same model: ``python -m benchmarks``.

Every server runs the same two graphs and gives the same answers, on the cores that the load comes from, too. They take
turns and stand still in between; ratios are of rates in the same round.
"""
