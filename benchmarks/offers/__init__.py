"""Do offers say what commissioning then finds? Rounds of request, accept, end on the real machine.

One trial at first; all later rounds are answered from its evidence and ask for exactly what it carries. The table shows
for each shape how many commissioned windows lay within the offered bound, beside the stated share and confidence, with
a binomial interval, failed commissionings counted.
"""
