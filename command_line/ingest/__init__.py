"""Images that arrive by themselves: in a folder that is watched, or in a bucket whose events come by a queue.

Both have the same four places. `incoming/` is where others put images; `results/` gets what the models said; the
images themselves go to `processed/`, or to `rejected/` with the reason.
"""

INCOMING, RESULTS, PROCESSED, REJECTED = "incoming", "results", "processed", "rejected"
