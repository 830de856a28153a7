"""The page of a QA phantom."""
