"""The rule Calibrated: which columns drifted, with a bound on false alarms of the whole check.

Evidently tests each column by itself, against thresholds that depend on neither the number of columns nor
the number of rows. This has two consequences. With six columns, tests at the 5 % significance level raise a
false alarm in one check of thirty. Distances, which are large by chance in small samples, nearly always do.

The rule keeps Evidently's verdict and asks four more questions:

* `rank_test`, `homogeneity`: what is the p-value of the difference, for samples of these sizes?
* `level`: which significance level per column bounds the false alarms of all dependent columns together?
* `outliers`: do a few values keep a distance below its threshold that the ranks contradict?
* `power`: would a sample of this size have shown a shift of half a standard deviation?
"""
