"""`python -m tracetui` is `tracetui`."""

from tracetui.cli.main import main

if __name__ == "__main__":
    main()
