"""What is held of a person, and what erasing it came to."""
