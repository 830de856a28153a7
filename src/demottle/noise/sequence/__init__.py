"""What can be measured on a noisy run of frames."""
