"""Many small exports, feeds and mailboxes as people write them, each held against what was written into it.

What belongs here: drawing a source with its truth, and what an operator does with a refusal. What does not: reading
anything (`ingestion`).
"""
