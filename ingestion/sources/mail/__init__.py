"""Mail into the lake: what headers say. Subject texts and bodies are stored only if the settings switch them on.

What belongs here: where messages are (`imap`, `imap_folder`, `maildir`, `mbox`, `exports`), how to reach them
(`accounts`, `sign_in`), what their headers say (`headers`), and one load of all of it (`ingest`). What does not: who
the addresses are, which of them are the company's own, and which messages count (dbt's conformed models).
"""
