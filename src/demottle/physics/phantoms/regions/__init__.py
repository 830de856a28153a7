"""Regions of the body beside the abdomen, as CT shows them, with an exact truth: for suite ct-anatomies and tests."""
