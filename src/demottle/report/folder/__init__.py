"""The page and the table about a folder of scans."""
