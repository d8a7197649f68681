"""Which columns are compared, and as what; and what kind of task the target makes."""
