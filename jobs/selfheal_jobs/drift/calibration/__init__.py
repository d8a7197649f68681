"""The rule Calibrated: which columns drifted, with a bound on false alarms of the whole check.

Evidently tests each column by itself, against thresholds that know neither how many columns there are nor
how many rows. Two things follow. Tests at the 5 % level raise a false alarm in one check of thirty where six
columns are tested; and distances, which are large by chance where there are few rows, nearly always do.

The rule keeps Evidently's verdict and asks three more questions:

* `rank_test`, `homogeneity`: what is the p-value of the difference, for samples of these sizes?
* `level`: which significance level per column bounds the false alarms of all dependent columns together?
* `power`: would a sample of this size have shown a shift of half a standard deviation?
"""
