"""demottle removes quantum mottle from low-dose CT, fluoroscopy and MR without clean images. Research software."""

__version__ = "0.1.0"
