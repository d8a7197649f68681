"""The profile of a reference: a cache that saves checks from reading an unchanged reference again.

* `kept_column`: the cached content of a column. Counts of values, never rows.
* `profile`: all columns, as a document that is accepted only if it is complete and unchanged.
* `by_rows`: which columns must be read, because their method needs more than counts.
* `known_reference`: the reference as a table, which reads only the columns that are not in the profile.
* `beside`, `in_mlflow`: the places where a profile can be stored.
* `opening`: finds the profile, and checks that it is of this data.
"""
