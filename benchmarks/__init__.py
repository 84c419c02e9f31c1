"""The README's figures, and the long loops. Each module prints its measurements; tests assert none of them."""
