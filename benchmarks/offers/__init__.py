"""Do offers say what commissioning then finds? Rounds of request, accept, end on the real machine, over several trials.

Each round is answered from its trial's evidence and asks for exactly what that carries. The table shows for each shape
how many commissioned windows lay within the offered bound, beside the stated share, with a binomial interval that knows
that the windows of a trial share its luck; failed commissionings are counted.
"""
