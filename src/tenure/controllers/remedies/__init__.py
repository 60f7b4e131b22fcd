"""The remedy ladder: what is done about a broken promise, one file a rung, each only if the one above does not help.

Promises: a step is stated before it is taken, with its cause; a rung that did not help is not tried again at once; an
interrupted step is finished or judged, never taken twice. Refuses: to touch the data path beyond the allocation.
"""
