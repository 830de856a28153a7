"""What a node shows and takes over HTTP: health and metrics, DICOMweb (`dicomweb/`), the dashboard (`pages/`, `static/`)."""
