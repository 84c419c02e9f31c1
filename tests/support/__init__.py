"""What tests stand on: servers with faults, and the doubles that use them."""
