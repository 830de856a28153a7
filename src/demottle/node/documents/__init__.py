"""What goes to the archive beside images: a page as PDF, a Structured Report of the gate, a picture, a word of what failed."""
