"""What the documentation's site is built from: `make docs`."""
