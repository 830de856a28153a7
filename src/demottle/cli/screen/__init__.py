"""What every verb shares on the screen: consoles, progress, tables, options, errors."""
