"""Is the result right? Measures of image quality: against a truth, and without one."""
