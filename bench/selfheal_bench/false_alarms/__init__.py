"""How often a check raises the alarm without drift, and with it, by either rule and at all sorts of sizes."""
