"""Salesforce into the lake, through simple-salesforce with a session of our own.

What belongs here: signing in, which objects are read and how, and turning answers into text rows. What does not: the
meaning of a field (dbt staging), and what happens to a row on its way into the lake (`ingestion.landing`).
Values land in the text form of Bulk 2.0's CSV, whichever API they came from: `true`, `2026-01-05T10:00:00.000Z`, NULL
for empty.
"""
