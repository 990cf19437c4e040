"""`python -m dokimasia`."""

from dokimasia.cli import main

if __name__ == "__main__":
    main()
