-- How healthy a ModelMonitor is, for Argo CD.
-- Drift and a running retraining are what a monitor is for: it is Healthy, and says so in its message.
-- Degraded is what somebody has to mend, which is what Ready=False says: a spec that cannot be acted upon,
-- a pod that does not start, data that cannot be read. `argocd app wait` does not fail because data has moved.
local health = { status = "Progressing", message = "Not yet seen by the operator" }
local status = obj.status
if status == nil or status.observedGeneration == nil then
  return health
end
if status.observedGeneration < obj.metadata.generation then
  health.message = "The operator has not yet seen this generation of the spec"
  return health
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, drift, retraining = conditions.Ready, conditions.DriftDetected, conditions.Retraining

if ready == nil then
  return health
end
if ready.status == "False" then
  return { status = "Degraded", message = ready.reason .. ": " .. ready.message }
end
if ready.reason == "Suspended" then
  return { status = "Healthy", message = ready.message }
end
if retraining ~= nil and retraining.status == "True" then
  return { status = "Healthy", message = "Retraining: " .. retraining.message }
end
if drift ~= nil and drift.status == "True" then
  return { status = "Healthy", message = "Drift: " .. drift.message }
end
return { status = "Healthy", message = ready.message }
