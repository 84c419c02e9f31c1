"""Call logs into the lake: Twilio, Aircall and RingCentral, in any combination.

What belongs here: one module per provider, which turns its call records into text rows under the provider's own names;
what they share: paging (`pages`), and text rows with E.164 numbers (`rows`). What does not: joining legs to calls or
numbers to people (dbt does that), and logs that come as files (`ingestion.sources.files`, with a mapping).
"""
