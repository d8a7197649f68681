"""Measures the lag of each Job of N ModelMonitors and N CronJobs that are all due in the same minute."""
