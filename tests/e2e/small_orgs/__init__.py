"""The cases of `test_figures_of_small_orgs`, by what they are about."""
