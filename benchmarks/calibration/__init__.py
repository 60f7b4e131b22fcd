"""Does a stated confidence mean what it says? Short contracts, made and run, and the share of windows they kept.

Each contract promises exactly what the evidence carries and is held Active for some windows under real requests at the
declared load. The reliability table puts the share that was promised beside the share that was kept, with a binomial
interval; windows that could not be judged are counted apart, with their reasons.
"""
