"""One file per format beside DICOM."""
