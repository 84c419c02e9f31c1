"""Any export, CSV or Parquet, turned into canonical objects by a mapping file that the operator writes.

What belongs here: reading tabular files strictly (feeds use this too), the canonical `files__*` objects and their
rules, the format of a mapping, and turning an export's rows into canonical rows. What does not: kinds of rules
(`ingestion.contracts`), and anything about one particular export (`config/mappings/`).
"""
