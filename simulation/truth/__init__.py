"""What really happened in the simulated company, for tests alone.

The events under `truth/` were written by the generator beside the records, not from them; `tally` counts them by the definitions of the metric
dictionary, in whole cents and seconds. A record or a mart that disagrees with the tally is wrong.

Metrics of the tally (a calendar day is New York's; a metric without events in a month has no row):

- leads_generated: leads created in the month, neither deleted nor merged away as of the instant; of a rep: those the rep created (leads from web
  forms and purchased lists are created by the integration user and count for the company only).
- deals_created: deals opened in the month, not deleted; of the first owner.
- deals_closed, deals_lost: deals that stand won (lost), not deleted, by the month of the last closing; of the owner at that closing.
- bookings: the amounts of won deals as they stand, in dollars at the dated rate of the close date, each rounded half away from zero to cents.
- calls_placed, calls_connected: outbound calls (a transferred one once); those answered.
- phone_seconds: talk time of all calls, in and out, of who placed or received the first leg; time in which both legs ran counts once.
- emails_sent: mails to or in copy to an outside address, automatic replies left out, one for each message id.
- meetings_held: meetings with an outside attendee that have ended, neither cancelled nor deleted, by the month of their start.
- invoiced, collected: invoices and payments as far as the feeds show them, in dollars at the dated rate of their day; of the deal's owner at close.
- opportunity_cycle_days_mean, opportunity_cycle_days_median: won deals, calendar days from the deal's creation to its last closing.

Team and territory are those the rep holds on the day of the event, as far as the personnel feed shows them.
"""

from __future__ import annotations

from simulation.truth.tally import tally

__all__ = ["tally"]
