"""Compares our cron with the Go library that Kubernetes' CronJob uses, slot by slot."""
