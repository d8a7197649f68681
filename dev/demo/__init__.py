"""`make demo`: the whole loop on three data sets, told as it happens.

Three ModelMonitors are applied. One watches data that does not drift and must stay quiet; two watch the
flights of 2013, whose summer is unlike their winter, and must be retrained and predict better afterwards.
Read `scenarios` for what is expected of each, `play` for the order of events.
"""
