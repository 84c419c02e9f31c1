"""The names and categories of the company's world.

All invented; addresses use the reserved top-level domain `.example`.
"""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


COMPANY_NAME = "Northlight Systems"
EMAIL_DOMAIN = "northlight.example"
ACCOUNT_SID = "AC5e1f0c2d7a9b48e3b6d1f2a3c4e5d607"

FIRST_NAMES = _words("""
    Ada Alan Amara Andre Anita Arthur Beatriz Ben Carla Chen Clara Daniel Diego Dina Elena Emil Erik Farah Felix Fiona Grace Hana Hugo Ines Ivan
    Jada James Jonas Julia Kai Karim Laila Lena Liam Lucas Maja Marcus Maria Mei Mila Nadia Nils Noah Nora Omar Owen Paula Priya Rafael Rosa Ruth
    Samir Sara Sofia Tariq Theo Tomas Vera Yara Zoe
""")
LAST_NAMES = _words("""
    Abbott Adeyemi Ahmed Alvarez Andersen Baker Bauer Becker Bianchi Brooks Carter Castro Chang Costa Cruz Dahl Delgado Dubois Edwards Eriksen
    Evans Farrell Fischer Flores Foster Garcia Gomez Grant Gupta Haas Hansen Hayes Hoffman Hughes Ibrahim Ito Jansen Jensen Kaur Keller Kim Klein
    Kowalski Lang Larsen Lewis Lopez Marino Martin Meyer Morales Moreau Murphy Nakamura Nguyen Novak Okafor Olsen Ortiz Parker Patel Perez Petrov
    Quinn Ramos Reid Reyes Rossi Sato Schmidt Silva Singh Stone Tanaka Torres Vargas Walsh Weber Wong Young
""")
COMPANY_FIRST = _words("""
    Alder Amber Apex Arbor Aspen Birch Bluff Bright Cedar Cobalt Copper Crest Delta Ember Falcon Fern Flint Granite Harbor Hazel Helio Indigo Iron
    Juniper Keystone Lumen Maple Meridian Mesa Nimbus North Oak Onyx Orchard Pine Prairie Quartz Ridge River Sable Sierra Silver Slate Spruce
    Summit Terra Tidal Valley Vista Willow
""")
COMPANY_SECOND = _words("""
    Analytics Brands Capital Care Dynamics Energy Fabrics Foods Freight Group Health Holdings Industries Instruments Labs Logistics Manufacturing
    Materials Media Motors Networks Optics Partners Pharma Retail Robotics Services Software Supply Works
""")
TITLES = [
    "VP Operations",
    "Head of Sales",
    "IT Director",
    "Operations Manager",
    "CFO",
    "Procurement Lead",
    "Founder",
    "Revenue Operations Manager",
]

SEGMENTS = ["SMB", "Mid-Market", "Enterprise"]
INDUSTRIES = [
    "Software",
    "Manufacturing",
    "Healthcare",
    "Retail",
    "Financial Services",
    "Logistics",
    "Education",
    "Media",
]
COUNTRIES = ["United States", "Canada", "United Kingdom", "Germany", "France", "Ireland"]
CURRENCIES = ["USD", "EUR", "GBP"]
COUNTRY_CURRENCY = [0, 0, 2, 1, 1, 1]
PROCESSES = ["Outbound", "Inbound"]
SOURCES = ["Cold Call", "Purchased List", "Social Selling", "Web", "Paid Search", "Referral", "Trade Show", "Partner"]
OUTBOUND_SOURCES, INBOUND_SOURCES = [0, 1, 2], [3, 4, 5, 6, 7]
RATINGS = ["Cold", "Warm", "Hot"]

LEAD_STATUSES = ["New", "Working", "Nurturing", "Qualified", "Converted", "Disqualified"]
NEW, WORKING, NURTURING, QUALIFIED, CONVERTED, DISQUALIFIED = range(6)
DISQUALIFIED_REASONS = ["No budget", "No need", "Wrong contact", "Too small", "Student or job seeker", "Unreachable"]

STAGES = ["Prospecting", "Qualification", "Discovery", "Proposal", "Negotiation", "Closed Won", "Closed Lost"]
STAGE_PROBABILITY = [10, 20, 35, 50, 75, 100, 0]
STAGE_CATEGORY = ["Pipeline", "Pipeline", "Pipeline", "Best Case", "Commit", "Closed", "Omitted"]
PROPOSAL, NEGOTIATION, WON, LOST = 3, 4, 5, 6
OPPORTUNITY_TYPES = ["New Business", "Expansion", "Renewal"]
COMPETITORS = ["Altavia", "Brightdesk", "Corvus", "Deskwise"]
LOSS_REASONS = ["Price", "No decision", "Competitor", "Missing feature", "Timing", "Lost champion"]

TEAMS = ["Northeast", "West", "Central", "South", "Enterprise", "International"]
TERRITORIES = [
    "New England",
    "Pacific",
    "Great Lakes",
    "Gulf Coast",
    "Mid-Atlantic",
    "Mountain",
    "Plains",
    "Southeast",
    "Canada",
    "Europe",
]
ROLES = ["inside_rep", "outside_rep", "sales_manager", "sales_director"]
ROLE_TITLES = ["Inside Sales", "Account Executive", "Sales Manager", "Sales Director"]
INSIDE, OUTSIDE, MANAGER, DIRECTOR = range(4)

CALL_STATUSES = ["completed", "busy", "no-answer", "failed", "canceled"]
CALL_DIRECTIONS = ["outbound-api", "outbound-dial", "inbound"]
