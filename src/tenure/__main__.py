"""`python -m tenure` is `tenure`."""

from tenure.cli.main import main

if __name__ == "__main__":
    main()
