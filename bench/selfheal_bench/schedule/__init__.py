"""N ModelMonitors and N CronJobs, all due in the same minute: how late is each one's Job?"""
