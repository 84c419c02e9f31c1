"""Lead quality: the probability that an open lead becomes a won deal within the outcome horizon.

What belongs here: choosing, fitting, calibrating, evaluating and explaining the lead score. What does not: computing
features (dbt) and deciding whom to call (people). Orchestration runs `score_leads`.
"""

from models_ml.lead_quality.step import score_leads

__all__ = ["score_leads"]
