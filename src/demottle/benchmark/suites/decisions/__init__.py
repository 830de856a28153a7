"""Suites that judge a decision of demottle: which filter the plan takes, what the gate says."""
