"""The other tools' checks, one program each: `program.py REFERENCE CURRENT OUTPUT`.

Each runs in the environment of its tool, where nothing of ours can be imported. It reads both Parquet files,
compares all columns as the tool's documentation shows, and prints one line of JSON: how many columns it has
compared, and how many drifted.
"""
