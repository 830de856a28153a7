"""`python -m demottle` is `demottle`."""

from demottle.cli import main

if __name__ == "__main__":
    main()
