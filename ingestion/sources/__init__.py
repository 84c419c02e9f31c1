"""Every kind of source in a room of its own: its settings, the rules on its rows, and how it is read.

What belongs here: talking to a source, and turning its records into text rows under the names the source has for them; what several sources
need alike (`http_session`, `phone_numbers`, `unicode_text`); the settings of all of them together (`settings`). What does not: what happens to
a row on its way into the lake (`ingestion.landing`), and what a field means (dbt's staging).
The packages name nothing of their modules, so that reading the settings imports no client.
"""
