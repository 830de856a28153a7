"""DICOMweb: objects in (STOW-RS), found (QIDO-RS) and out (WADO-RS)."""
