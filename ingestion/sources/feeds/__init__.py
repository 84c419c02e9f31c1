"""Canonical feeds: CSV or Parquet files that other systems (personnel, finance) deliver in a format we define.

What belongs here: which feeds there are, their columns and rules, landing them from the feeds folder and the drop
folder, and the register of dropped files. What does not: opening a tabular file, exports in a format of their own
(`ingestion.sources.files`), kinds of rules (`ingestion.contracts`), and when to look into the drop folder
(`orchestration`).
"""
