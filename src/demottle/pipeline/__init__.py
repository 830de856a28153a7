"""From an image to a denoised one: measure, plan, fit or load, apply, check."""
