"""A profile of Hypothesis for checks that are expected to fail: at the first example, unchanged."""

from hypothesis import Phase, settings

settings.register_profile(
    "beginnings", max_examples=1, deadline=None, phases=[Phase.generate], database=None
)
