"""The index of an archive: walk, read headers, group to series, write tables; what is known already is not read again."""
