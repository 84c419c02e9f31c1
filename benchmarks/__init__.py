"""Figures that the README quotes, and the long loops. Each module prints what it measured; nothing here is asserted by the tests."""
