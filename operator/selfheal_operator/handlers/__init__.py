"""What wakes the operator up, and the loop that it wakes."""
