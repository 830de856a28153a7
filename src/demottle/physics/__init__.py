"""How noisy images come about: CT projection, dose and reconstruction, and analytic phantoms with a known truth."""
