"""Is `Kept` ever said wrongly? Injected faults against the truth of the load generator.

    python -m benchmarks.honesty [--windows 300] [--real MODEL.gguf --minutes 10] [--json FILE]

The virtual part writes real journals under virtual clocks, with a queue for a model, and judges them with the product's
own reader and judge. The real part runs the real model behind the real tap and injects the same kinds of fault by real
processes and signals.
"""
