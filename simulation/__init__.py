"""A company with known truth, and local servers that speak for it: what a newcomer and the tests run on.

What belongs here: `company` (the generator and its clock), `truth` (what really happened, apart from what the company's systems show), `servers` and
`delivery` (how its records are served). What does not: anything that a real company would bring itself. Nothing outside `simulation` may be needed to
serve it, and nothing outside tests may read the truth.
"""
