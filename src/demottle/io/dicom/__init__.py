"""DICOM: find the files of a scan, read them, and say what they are."""
