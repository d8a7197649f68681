"""What a check needs of a reference that has not changed, kept so that it need not be read again.

* `kept_column`: what is kept of a column. Counts of values, never rows.
* `profile`: of all columns, as a document that is taken back only whole and unchanged.
* `by_rows`: which methods counts are not enough for.
* `known_reference`: the reference as a check takes it: what is not kept is read.
* `beside`, `in_mlflow`: where a profile is.
* `opening`: whether there is one, and of this very data.
"""
