package report

// Health is {"status","ready","checks":[{"name","status","reason"}]}: whether the server can do its work, and why not.
type Health struct {
	Status string        `json:"status" enum:"ok,warning,unavailable" example:"ok" doc:"unavailable when a check failed"`
	Ready  bool          `json:"ready" example:"true" doc:"whether requests may be sent here"`
	Checks []HealthCheck `json:"checks"`
}

// HealthCheck is one thing that the server needs.
type HealthCheck struct {
	Name   string `json:"name" example:"database" doc:"database, disk, jobs, catalogue"`
	Status string `json:"status" enum:"ok,warning,failed" example:"ok"`
	Reason string `json:"reason" example:"" doc:"empty when there is nothing to say"`
}
