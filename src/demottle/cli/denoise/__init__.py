"""`demottle denoise`: one file for each part of the work between the command line and the written result."""
