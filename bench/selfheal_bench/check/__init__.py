"""What a drift check costs as a whole process, beside those of other tools."""
