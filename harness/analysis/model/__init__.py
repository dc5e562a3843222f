"""What runs cost and what other settings would hold: figures of a cell, and predictions from them.

Costs (`cpu_cost`, `memory_cost`, together `resources`) are measured; `cell_model` is what a cell
says for any size, `fitting` joins several sizes, `prediction` answers from them, and `hold_out`
says how far such answers were off. `knee` and `usl` describe the curve.
"""
