"""The node: a service between scanner and archive. It receives series over DICOM, denoises them by rules, and sends them on.

Two processes: one for the network (`serve`), one for the work (`worker`). All that has to outlive them is in the queue
(`queue/`, SQLite) and in files beside it (`disk`).
"""
