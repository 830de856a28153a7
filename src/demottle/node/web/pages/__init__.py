"""The dashboard: log-in, what is shown, and what a person may do."""
