"""DICOM over the network: objects come in (`receiving`), results go out (`sending`), storage commitment both ways."""
