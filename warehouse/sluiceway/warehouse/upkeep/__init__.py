"""What a warehouse does for itself while nobody asks: checkpoints, and giving space back.

`checkpointer.py` writes checkpoints and lets `retention.py` drop what the log no longer needs;
`housekeeping.py` calls the chores: `expiry.py` of rows with a time to live, `compaction.py` of
segments with dead rows.
"""
