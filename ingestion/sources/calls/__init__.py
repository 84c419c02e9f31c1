"""Call logs into the lake: Twilio, Aircall and RingCentral, each of which may be configured beside the others.

What belongs here: one module per provider, which turns its call records into text rows under the provider's own names; what all of them
need alike: pages (`pages`), and rows as text with their numbers in E.164 (`rows`). What does not: joining legs to calls or numbers to
people (dbt does), and logs that come as files (`ingestion.sources.files`, by a mapping).
"""
