"""Any export, CSV or Parquet, brought into canonical objects by a mapping file that the operator writes.

What belongs here: reading tabular files strictly (feeds read theirs here too), the canonical `files__*` objects, the shape of a mapping,
and turning an export's rows into canonical rows. What does not: rules on the rows (`ingestion.contracts`), and any knowledge of one
particular export (`config/mappings/`).
"""
