"""Looking for the threshold: which concurrency to try next, and how sure the answer is.

A search is a pure function of what was observed so far (`base.NextProbe`); it never sees a
server, a clock or a file. `boundary` says how probable each answer is, `adaptive`, `bisect` and
`ladder` choose the next probe, `strategies` makes one by its name.
"""
