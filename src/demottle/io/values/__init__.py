"""What the stored values of DICOM mean: units, padding, and what else lies among the pixels."""
