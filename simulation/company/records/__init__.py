"""What the company's systems show: record versions as in Salesforce, the call log, the mailboxes and the feeds.

What belongs here: turning the generator's numbers into typed columns with the sources' own names. What does not:
deciding what happens.
"""

from __future__ import annotations

from simulation.company.records.activity_records import write_calls, write_mail, write_meetings_and_tasks
from simulation.company.records.deal_records import write_deals
from simulation.company.records.directory_text import write_directory
from simulation.company.records.lead_records import write_customers, write_leads
from simulation.company.records.people_records import write_finance_feeds, write_people
from simulation.company.records.writer import RecordWriter
from simulation.company.region import Region


def write_region(region: Region, writer: RecordWriter) -> None:
    """Write all records of a region."""
    text = write_directory(region)
    write_people(region, text, writer)
    write_leads(region, text, writer)
    write_customers(region, text, writer)
    write_deals(region, text, writer)
    write_meetings_and_tasks(region, writer)
    write_calls(region, text, writer)
    write_mail(region, text, writer)
    write_finance_feeds(region, writer)
