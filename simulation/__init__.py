"""A company with known truth, and local servers for its systems: what newcomers and tests run on.

What belongs here: `company` (the generator and its clock), `truth` (what really happened, apart from what the systems
show), `servers` and `delivery` (serving its records). What does not: anything a real company would bring itself.
Nothing outside `simulation` may be needed to serve it, and only tests may read the truth.
"""
