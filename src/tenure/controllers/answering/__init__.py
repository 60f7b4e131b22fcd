"""How a need is answered: what is known, what each shape can do, what fits, and how it is said.

Pure from `need` to `answer`; `gather` alone reads the world. Workloads and Inquiries get the same answer; only the
first hold it.
"""
