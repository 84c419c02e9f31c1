"""Sources, one package per kind: its settings, the rules on its rows, and how it is read.

What belongs here: talking to a source, and turning its records into text rows under the source's own names; code that
several sources share (`http_session`, `phone_numbers`, `unicode_text`); the settings of all of them (`settings`). What
does not: what happens to a row on its way into the lake (`ingestion.landing`), and what a field means (dbt staging).
The packages import none of their modules, so reading the settings imports no client.
"""
