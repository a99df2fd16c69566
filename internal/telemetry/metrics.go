package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is a registry of its own with what Prometheus scrapes. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	latency  *prometheus.HistogramVec
	open     prometheus.Gauge
}

// latencyBuckets are around what is promised: 50 ms for lists and details.
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// NewMetrics returns the metrics of the process itself: Go's runtime, memory, HTTP.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "patchscout_http_request_duration_seconds",
			Help: "How long answers took, by route pattern.", Buckets: latencyBuckets}, []string{"method", "route", "status"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "patchscout_http_requests_in_flight",
			Help: "Requests that are being answered, live connections included."}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "patchscout_build_info", Help: "Always 1; the version is its label.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.latency, m.open, build)
	return m
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, DisableCompression: true})
}

// Begin counts a request that is being answered until the function that it returns is called.
func (m *Metrics) Begin() (end func()) {
	m.open.Inc()
	return m.open.Dec
}

// Request counts an answer. route is a pattern, never a path: each value is kept for ever.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	m.latency.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Gauge registers a number that is cheap to read.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Sample is one value of a gauge. Labels are name, value, name, value.
type Sample struct {
	Name   string
	Help   string
	Labels []string
	Value  float64
}

// Samples registers gauges that are read together, from a database: at most once in the given time and for at most
// two seconds, however often somebody scrapes. While read fails the gauges are absent, and patchscout_samples_ok is 0.
func (m *Metrics) Samples(every time.Duration, log *slog.Logger, read func(context.Context) ([]Sample, error)) {
	m.registry.MustRegister(&sampler{every: every, read: read, log: log})
}

type sampler struct {
	every time.Duration
	read  func(context.Context) ([]Sample, error)
	log   *slog.Logger

	mu      sync.Mutex
	at      time.Time
	samples []Sample
}

// Describe says nothing: which gauges there are is only known when they are read.
func (s *sampler) Describe(chan<- *prometheus.Desc) {}

func (s *sampler) Collect(to chan<- prometheus.Metric) {
	for _, one := range s.current() {
		var names, values []string
		for i := 0; i+1 < len(one.Labels); i += 2 {
			names, values = append(names, one.Labels[i]), append(values, one.Labels[i+1])
		}
		metric, err := prometheus.NewConstMetric(prometheus.NewDesc(one.Name, one.Help, names, nil), prometheus.GaugeValue, one.Value, values...)
		if err == nil { // a label that is not UTF-8
			to <- metric
		}
	}
}

// readTime is how long a scrape waits for the database.
const readTime = 2 * time.Second

func (s *sampler) current() []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.at.IsZero() && time.Since(s.at) < s.every {
		return s.samples
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	samples, err := s.read(ctx)
	ok := 1.0
	if err != nil {
		samples, ok = nil, 0
		s.log.Warn("metrics: the database cannot be read", "error", err)
	}
	s.samples = append(samples, Sample{Name: "patchscout_samples_ok", Help: "Whether the figures of the database could be read.", Value: ok})
	s.at = time.Now()
	return s.samples
}
