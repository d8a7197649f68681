"""When a column's drift is more than chance: the rule Calibrated.

Evidently's tests and distances are judged one by one, by thresholds that know neither how many columns there
are nor how many rows. Two things follow. Tests at five percent raise alarms in one check of thirty where six
columns are tested; and distances, which are large by chance alone when there are few rows, raise them nearly
always.

The rule keeps Evidently's verdict and asks three more questions:

* `rank_test`, `homogeneity`: how often would two samples of ONE distribution, of these sizes, differ as much?
* `level`: how rare must that be, so that as many columns as make an alarm are that rare together in one
  check of 250 at most, however the columns hang together?
* `power`: would a sample of this size have shown a shift of half a standard deviation?
"""
