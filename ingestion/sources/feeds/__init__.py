"""Canonical feeds: the CSV or Parquet files that other systems (personnel, finance) deliver, in a shape that is ours to say.

What belongs here: which feeds there are, their columns, landing them from the feeds folder and from the drop folder, and which dropped files
were taken. What does not: opening a tabular file and exports in a shape of their own (`ingestion.sources.files`), rules on the rows
(`ingestion.contracts`), and when to look into the drop folder (`orchestration`).
"""
