"""What really happened in the simulated company, for tests alone.

The generator wrote the events under `truth/` beside the records, not from them; `tally` counts them by the definitions
of the metric dictionary, in whole cents and seconds. A record or mart that disagrees with the tally is wrong.

Metrics of the tally (a calendar day is New York's; a metric without events in a month has no row):

- leads_generated: leads created in the month that are neither deleted nor merged away at the instant; per rep, those
  the rep created (the integration user creates leads from web forms and purchased lists: they count for the company
  only).
- deals_created: deals opened in the month, not deleted; per first owner.
- deals_closed, deals_lost: deals currently won (lost), not deleted, by month of the last close; per owner at that
  close.
- bookings: current amounts of won deals, in dollars at the dated rate of the close date, each rounded half away from
  zero to cents.
- calls_placed, calls_connected: outbound calls (a transferred one counts once); those that a person answered.
- phone_seconds: talk time of all calls, in and out, of the person on the first leg; overlapping legs
  count once.
- emails_sent: mails sent or copied to an outside address, without automatic replies, one per message id.
- meetings_held: meetings with an outside attendee that have ended, not cancelled or deleted, by month of their start.
- invoiced, collected: invoices and payments in the feeds, in dollars at the dated rate of their day; per owner of the
  deal at close.
- opportunity_cycle_days_mean, opportunity_cycle_days_median: won deals, calendar days from creation to the last close.

Team and territory are the rep's on the day of the event, as shown by the personnel feed.
"""

from __future__ import annotations

from simulation.truth.tally import tally

__all__ = ["tally"]
