"""Notices when a model's data has moved, and has it retrained."""
