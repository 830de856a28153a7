"""What can be measured on one noisy image: level, spectrum, slice-to-slice correlation, matched tissue."""
