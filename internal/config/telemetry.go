package config

import "github.com/patchscout/patchscout/internal/fault"

// Telemetry says where the server tells how it works, beside its log and /metrics.
type Telemetry struct {
	Traces string  `koanf:"traces"` // OpenTelemetry: URL that takes OTLP over HTTP, as http://localhost:4318; "" is off
	Sample float64 `koanf:"sample"` // the part of requests and jobs that is traced, 0 to 1
}

func defaultTelemetry() Telemetry { return Telemetry{Sample: 1} }

func (t Telemetry) validate() error {
	if t.Traces != "" && !isHTTP(t.Traces) {
		return fault.Invalid("telemetry.traces: want an http:// or https:// URL without user name, query or fragment")
	}
	if !(t.Sample >= 0 && t.Sample <= 1) { // also not a number
		return fault.Invalid("telemetry.sample %v: want 0 to 1", t.Sample)
	}
	return nil
}
